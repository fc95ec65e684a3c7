/*
 * heap/metadata: memory for the allocator's own records.
 *
 * A piece up to 4 KiB comes from the list of its exact size, larger ones from lists by power of two; what no list has is
 * cut from the end of the area. The links lie in the free pieces: metadata is not the program's to write.
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

enum { STEP_BYTES = 64, EXACT_BYTES_MAX = 4096, EXACT_COUNT = EXACT_BYTES_MAX / STEP_BYTES, POWER_COUNT = 40 };

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
    struct piece **list = list_of(rounded_bytes);
    ((struct piece *)piece)->next = *list;
    *list = piece;
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
