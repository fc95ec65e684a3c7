/*
 * heap/metadata: memory for the allocator's own records.
 *
 * A piece up to 4 KiB comes from the list of its exact size, larger ones from lists by power of two. What its list does
 * not have is made of two halves that are neighbours, or of a larger piece up to 4 KiB, or cut from the end of the area:
 * buffers double, and what they leave behind is much in a small process. The links lie in the free pieces: metadata is
 * not the program's to write.
 *
 * Uses base. Locks: the metadata lock, innermost of all.
 */
#include "heap/metadata.h"

#include "base/bits.h"
#include "base/image.h"
#include "base/lock.h"
#include "heap/layout.h"

#include <stdint.h>
#include <string.h>

enum { STEP_BYTES = 64, EXACT_BYTES_MAX = 4096, EXACT_COUNT = EXACT_BYTES_MAX / STEP_BYTES, POWER_COUNT = 30 };

enum { NEIGHBOUR_LOOKS = 16 }; /* pieces compared with each other: a list may be long */

struct piece {
    struct piece *next;
};

static struct lock lock;
static struct piece *free_pieces[EXACT_COUNT + POWER_COUNT];
static size_t free_bytes;

static size_t rounded(size_t size_bytes)
{
    if (size_bytes <= EXACT_BYTES_MAX)
        return round_up(size_bytes, STEP_BYTES);
    return (size_t)1 << (bit_highest(size_bytes - 1) + 1);
}

static struct piece **list_of(size_t rounded_bytes)
{
    if (rounded_bytes <= EXACT_BYTES_MAX)
        return &free_pieces[rounded_bytes / STEP_BYTES - 1];
    return &free_pieces[EXACT_COUNT + bit_highest(rounded_bytes) - 13];
}

static void push(struct piece **list, void *memory)
{
    struct piece *piece = memory;
    piece->next = *list;
    *list = piece;
}

static struct piece *take_from_list(size_t rounded_bytes)
{
    struct piece **list = list_of(rounded_bytes);
    struct piece *piece = *list;
    if (piece != NULL) {
        *list = piece->next;
        free_bytes -= rounded_bytes;
    }
    return piece;
}

/* Where the list links to a piece that lies just before or behind the given one, or NULL. */
static struct piece **find_neighbour(struct piece **link, const struct piece *piece, size_t rounded_bytes)
{
    for (int looks = 0; *link != NULL && looks < NEIGHBOUR_LOOKS; looks++, link = &(*link)->next)
        if ((uintptr_t)*link + rounded_bytes == (uintptr_t)piece ||
            (uintptr_t)piece + rounded_bytes == (uintptr_t)*link)
            return link;
    return NULL;
}

static struct piece *join_halves(size_t rounded_bytes)
{
    size_t half_bytes = rounded_bytes / 2;
    if (rounded_bytes > EXACT_BYTES_MAX || half_bytes % STEP_BYTES != 0)
        return NULL;
    struct piece **link = list_of(half_bytes);
    for (int looks = 0; *link != NULL && looks < NEIGHBOUR_LOOKS; looks++, link = &(*link)->next) {
        struct piece *one = *link;
        struct piece **other_link = find_neighbour(&one->next, one, half_bytes);
        if (other_link != NULL) {
            struct piece *other = *other_link;
            *other_link = other->next; /* may be one->next */
            *link = one->next;
            free_bytes -= rounded_bytes;
            return one < other ? one : other;
        }
    }
    return NULL;
}

static struct piece *split_larger(size_t rounded_bytes)
{
    size_t steps = rounded_bytes / STEP_BYTES;
    for (size_t rest = 1; steps + rest <= EXACT_COUNT; rest++) {
        struct piece *piece = free_pieces[steps + rest - 1];
        if (piece == NULL)
            continue;
        free_pieces[steps + rest - 1] = piece->next;
        push(&free_pieces[rest - 1], (char *)piece + rounded_bytes);
        free_bytes -= rounded_bytes;
        return piece;
    }
    return NULL;
}

/* The start of a piece never used before. */
static void *cut_from_end(size_t rounded_bytes)
{
    struct image *image = image_now;
    size_t used = atomic_load_explicit(&image->metadata_used_bytes, memory_order_relaxed);
    if (layout_grow_metadata(used + rounded_bytes) != 0)
        return NULL;
    atomic_store_explicit(&image->metadata_used_bytes, used + rounded_bytes, memory_order_release);
    return (void *)(image->metadata_start + used);
}

void *metadata_take(size_t size_bytes)
{
    size_t rounded_bytes = rounded(size_bytes);
    lock_take(&lock);
    struct piece *reused = take_from_list(rounded_bytes);
    if (reused == NULL)
        reused = join_halves(rounded_bytes);
    if (reused == NULL)
        reused = split_larger(rounded_bytes);
    void *piece = reused != NULL ? reused : cut_from_end(rounded_bytes);
    lock_release(&lock);
    if (reused != NULL)
        memset(piece, 0, rounded_bytes);
    return piece;
}

void metadata_put(void *piece, size_t size_bytes)
{
    if (piece == NULL)
        return;
    size_t rounded_bytes = rounded(size_bytes);
    lock_take(&lock);
    push(list_of(rounded_bytes), piece);
    free_bytes += rounded_bytes;
    lock_release(&lock);
}

void metadata_lock(void)
{
    lock_take(&lock);
}

void metadata_unlock(void)
{
    lock_release(&lock);
}

void metadata_lock_reset(void)
{
    lock_reset(&lock);
}

size_t metadata_free_bytes(void)
{
    return free_bytes;
}
