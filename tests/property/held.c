/*
 * property/held: one block and what the model knows of it.
 *
 * Locks: none; whoever holds the block alone looks at it.
 */
#include "property/held.h"

#include "heap/allocate.h"
#include "heap/lookup.h"
#include "support/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DENSE_BYTES = 512, STRIDE_BYTES = 4096, ZERO_CHECK_BYTES = 262144 };

_Noreturn void held_fail(const struct held *held, const char *what)
{
    dprintf(STDERR_FILENO, "process %d: %s: block %p of %zu bytes, aligned to %zu, id %lu%s\n",
            getpid(), what, (void *)held->block, held->size_bytes, held->align_bytes,
            (unsigned long)held->id, held->is_leaf ? ", leaf" : "");
    _exit(1);
}

/* ---- contents ---- */

static uint64_t word_at(uint64_t seed, size_t offset)
{
    uint64_t mixed = seed + offset * 0x9e3779b97f4a7c15u;
    return (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
}

static uint64_t seed_of(const struct held *held)
{
    return held->id * 0xd6e8feb86659fd93u ^ (uintptr_t)held->block;
}

/* The next offset whose word is kept, behind this one: all at the beginning, then one a page. */
static size_t next_offset(size_t offset)
{
    size_t next = offset + 8;
    return next < DENSE_BYTES
               ? next
               : (offset / STRIDE_BYTES + 1) * STRIDE_BYTES + offset / STRIDE_BYTES % 500 * 8;
}

static void fill(const struct held *held)
{
    uint64_t seed = seed_of(held);
    size_t size_bytes = held->size_bytes;
    for (size_t offset = 0; offset < size_bytes; offset = next_offset(offset)) {
        uint64_t word = word_at(seed, offset);
        memcpy(held->block + offset, &word, size_bytes - offset < 8 ? size_bytes - offset : 8);
    }
    if (size_bytes > DENSE_BYTES) /* the very end of a block is where a neighbour would reach in */
        held->block[size_bytes - 1] = (unsigned char)seed;
}

/* Whether the first common_bytes at `block` are what was filled in where the block was then. */
static bool holds(const struct held *held, const unsigned char *block, size_t common_bytes)
{
    uint64_t seed = seed_of(held);
    size_t last = held->size_bytes > DENSE_BYTES ? held->size_bytes - 1 : SIZE_MAX;
    for (size_t offset = 0; offset < common_bytes; offset = next_offset(offset)) {
        uint64_t word = word_at(seed, offset);
        if (last - offset < 8)
            ((unsigned char *)&word)[last - offset] = (unsigned char)seed;
        if (memcmp(block + offset, &word, common_bytes - offset < 8 ? common_bytes - offset : 8) !=
            0)
            return false;
    }
    return last >= common_bytes || block[last] == (unsigned char)seed;
}

static void check_zero(const struct held *held)
{
    size_t size_bytes = held->size_bytes;
    bool is_zero =
        all_zero(held->block, size_bytes < ZERO_CHECK_BYTES ? size_bytes : ZERO_CHECK_BYTES);
    for (size_t offset = ZERO_CHECK_BYTES; is_zero && offset + 64 <= size_bytes;
         offset += STRIDE_BYTES)
        is_zero = all_zero(held->block + offset, 64);
    if (!is_zero)
        held_fail(held, "not zero");
}

/* ---- operations ---- */

static void *allocate(enum held_kind kind, size_t size_bytes, size_t align_bytes)
{
    switch (kind) {
    case HELD_ZEROED:
        return heap_allocate_zeroed(size_bytes);
    case HELD_ALIGNED:
        return heap_allocate_aligned(size_bytes, align_bytes);
    case HELD_LEAF:
        return heap_allocate_leaf(size_bytes);
    default:
        return heap_allocate(size_bytes);
    }
}

static void check_extent(const struct held *held)
{
    if ((uintptr_t)held->block % held->align_bytes != 0)
        held_fail(held, "not aligned");
    if (lookup_usable_size(held->block) < held->size_bytes)
        held_fail(held, "too small");
}

bool held_take(struct held *held, enum held_kind kind, size_t size_bytes, size_t align_bytes,
               uint64_t id)
{
    unsigned char *block = allocate(kind, size_bytes, align_bytes);
    if (block == NULL)
        return false;
    if (kind != HELD_ALIGNED || align_bytes < BLOCK_ALIGNMENT)
        align_bytes = BLOCK_ALIGNMENT;
    *held = (struct held){.block = block,
                          .size_bytes = size_bytes,
                          .align_bytes = align_bytes,
                          .id = id,
                          .is_leaf = kind == HELD_LEAF && size_bytes <= CLASS_BYTES_MAX,
                          .is_exact = kind != HELD_ALIGNED};
    check_extent(held);
    if (kind == HELD_ZEROED)
        check_zero(held);
    fill(held);
    return true;
}

bool held_resize(struct held *held, size_t size_bytes)
{
    void *resized = NULL;
    int result = heap_resize(held->block, size_bytes, NULL, &resized);
    if (result == -ENOMEM && resized == NULL) {
        held_check(held);
        return false;
    }
    if (result != 0)
        held_fail(held, "resize failed");
    if (!holds(held, resized, size_bytes < held->size_bytes ? size_bytes : held->size_bytes))
        held_fail(held, "contents did not come along");
    held->block = resized;
    held->size_bytes = size_bytes;
    held->align_bytes = BLOCK_ALIGNMENT;
    held->is_exact = false;
    held->is_leaf = held->is_leaf && size_bytes <= CLASS_BYTES_MAX;
    check_extent(held);
    fill(held);
    return true;
}

void held_check(const struct held *held)
{
    struct block block;
    if (!holds(held, held->block, held->size_bytes))
        held_fail(held, "contents changed");
    size_t inside = held->size_bytes == 0 ? 0 : held->id % held->size_bytes;
    if (!lookup_block(held->block + inside, &block) || block.start != (uintptr_t)held->block)
        held_fail(held, "not found from inside");
    if (!block_is_allocated(&block))
        held_fail(held, "not marked allocated");
    if (held->is_leaf && slot_kind(block.state) != SLOT_LEAF)
        held_fail(held, "not marked leaf");
}

void held_free(struct held *held, bool sized)
{
    if (!holds(held, held->block, held->size_bytes))
        held_fail(held, "contents changed");
    if (sized)
        heap_free_sized(held->block, held->size_bytes, held->is_exact ? SIZED_EXACT : SIZED_AT_MOST,
                        NULL);
    else
        heap_free(held->block);
    held->block = NULL;
}
