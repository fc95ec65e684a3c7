/*
 * heap/sizes: which slot a size gets.
 *
 * Slots are 16-byte steps to 512 bytes and 8 to a doubling up to 16 KiB: at most an eighth of a slot is unused. What is
 * larger is a run of units of its own: a span of a few such slots would hold pages for one size only, and the pages cost
 * more than the lock.
 *
 * Every class keeps the pages of its own peak, its own buffer and on average half a span, and the fewer blocks it has the higher its peak
 * is above its mean: with eight blocks at a time twice as much or more. So a small heap is better off with few classes, a large one with
 * many: above 128 bytes two classes share slots of the larger, above 1 KiB four those of the largest, until that has 1 MiB of spans, or 256 KiB
 * in a heap of 8 MiB. At most a fifth, above 1 KiB a third of a slot is unused then.
 */
#ifndef HEAP_SIZES_H
#define HEAP_SIZES_H

#include "base/compiler.h"

#include <stdatomic.h>
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

/*
 * By (size - 1) / 16: the class that a size gets now. One table for all: a branch on the size is a coin that a program of
 * many sizes keeps tossing. Only class_note_demand() changes it.
 */
extern uint8_t class_by_16_bytes[1024] __attribute__((visibility("hidden")));

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

/* The class that a block of the size gets now; class_exists() is true of it. */
static ALWAYS_INLINE uint32_t class_of(size_t size_bytes)
{
    return __atomic_load_n(&class_by_16_bytes[(size_bytes - class_rule.bias) >> 4], __ATOMIC_RELAXED);
}

/* The smallest class that holds the size, likewise. */
uint32_t class_exact(size_t size_bytes);

/* The class whose slots blocks of the exact class get while there are few of them: the class itself or the next. */
uint32_t class_shared(uint32_t exact_index);

/* Every size whose block may be in a slot of the class is larger than this. */
size_t class_least_bytes(uint32_t class_index);

/* All sizes get exact classes from now on. Before the first block, and with a bias of 0. */
void class_share_nothing(void);

/* A span of the class was made, or has ended. */
void class_count_units(uint32_t class_index, int32_t change);

/* A span has just been made for a size of this exact class: enough of such lets it have slots of its own, for good. */
void class_note_demand(uint32_t exact_index);

#endif
