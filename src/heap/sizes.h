/*
 * heap/sizes: which slot a size gets.
 *
 * Slots are 16-byte steps to 512 bytes and 8 to a doubling up to 16 KiB: at most an eighth of a slot is unused. What is
 * larger is a run of units of its own: a span of a few such slots would hold pages for one size only, and the pages cost
 * more than the lock.
 */
#ifndef HEAP_SIZES_H
#define HEAP_SIZES_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNIT_SHIFT = 14,
    UNIT_BYTES = 1 << UNIT_SHIFT,
    CLASS_COUNT = 72,
    CLASS_BYTES_MAX = 16384, /* 1024 times 16 */
    BLOCK_ALIGNMENT = 16,
};

/* Beyond this no size is ever granted: differences of pointers must fit ptrdiff_t. */
#define BLOCK_BYTES_MAX ((size_t)PTRDIFF_MAX)

extern const uint32_t class_slot_bytes[CLASS_COUNT];

/*
 * Units a span of the class has: as few as leave at most a tenth unused at its end. A span of few slots is soon empty,
 * and its pages serve another class.
 */
extern const uint8_t class_unit_count[CLASS_COUNT];

/* By (size - 1) / 16. One table for all: a branch on the size is a coin that a program of many sizes keeps tossing. */
extern const uint8_t class_by_16_bytes[1024];

/*
 * 1: a block may fill its slot. With a collector, and where leaks are looked for, it is 0, and every slot is a byte larger than its block at least: an
 * address one past the end, which may be all that a program keeps, then lies in the block's own slot. Set once, before the
 * first block.
 */
extern struct class_rule {
    size_t bias;
    size_t quick_limit; /* CLASS_BYTES_MAX; 0 when no allocation may take the fast path: see heap/recorder.h */
    bool zeroes; /* every block reads as zero when it is handed out; then quick_limit is 0 */
    uint64_t guard_mean; /* one allocation of so many is guarded: see heap/guard.h. 0: none; else quick_limit is 0 */
} class_rule __attribute__((visibility("hidden"))); /* no detour for its address */

/* False for sizes that are large, and for 0 while the bias is 1. */
static ALWAYS_INLINE bool class_exists(size_t size_bytes)
{
    return size_bytes - class_rule.bias < CLASS_BYTES_MAX;
}

/* The same for fast paths: false also for every size while each allocation is to take a slow one. */
static ALWAYS_INLINE bool class_is_quick(size_t size_bytes)
{
    return size_bytes - class_rule.bias < class_rule.quick_limit;
}

/* The smallest class that holds the size, for which class_exists(). */
static ALWAYS_INLINE uint32_t class_of(size_t size_bytes)
{
    return class_by_16_bytes[(size_bytes - class_rule.bias) >> 4];
}

#endif
