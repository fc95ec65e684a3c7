/*
 * heap/unit: the descriptor of each 16 KiB unit of the heap, in one flat table outside the slots.
 *
 * free() finds the descriptor by arithmetic and reads nothing else but the slot's state byte. Every unit of a span holds
 * the same values. A large block of more than 128 units has descriptors in the units up to the first multiple of 128
 * (a granule's border) and in the first unit of each granule after that, so that a gigabyte costs 512 lines, not
 * 65,536; unit_span() looks there when a unit of its own says nothing.
 *
 * Written by whoever has just taken the run of units, cleared under the run lock, and `owner` changed by the heap that
 * adopts the span. Read without a lock by free(): the descriptors of an allocated block cannot change but for `owner`,
 * which names the calling thread's heap exactly when that thread owns the span.
 */
#ifndef HEAP_UNIT_H
#define HEAP_UNIT_H

#include "base/compiler.h"
#include "heap/sizes.h"
#include "heap/slot.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct span;
struct thread_heap;

enum unit_kind { UNIT_FREE, UNIT_SPAN, UNIT_LARGE };

/*
 * Whose a large block is. One that is not malloc's is a chunk (heap/chunk.h): free() and realloc() refuse every address
 * in it and say whose it is, and no walk or count takes it for a block. A free unit keeps what it was last.
 */
enum unit_use { USE_MALLOC, USE_ARENA, USE_POOL };

enum { GRANULE_UNITS = 128 };

struct unit {
    struct thread_heap *_Atomic owner; /* NULL for free units and large blocks */
    union {
        uint8_t *states;        /* of the span's slots, by index */
        struct unit *next_kept; /* of a large block: see heap/kept.h */
    };
    uintptr_t start;                   /* the span's first byte */
    uint64_t reciprocal;               /* 2^64 / slot size, rounded up: high word of the product is the index */
    struct span *span;                 /* the rest; NULL when free */
    uint16_t buffer_offset;            /* of the class's buffer in a thread heap, bytes */
    uint8_t class_index;
    uint8_t kind;
    _Atomic uint8_t large_state; /* a large block's slot state */
    uint8_t use; /* see enum unit_use; USE_MALLOC in every unit of slots */
    uint8_t has_records; /* of a unit of slots: some may have a record, maybe out of date. See leak/record.c */
    uint8_t keepable_units; /* of a large block's first unit: how many the block has, if it may be kept (heap/kept.h); or 0 */
    size_t slot_bytes; /* kept after the unit is freed, to name a double free */
    /* Of the span the unit is in: its notes plus 1, or, without any, an even number: twice the generation that notes about
       what lies here begin with (heap/note.h). A unit keeps the latter when its span goes. */
    uintptr_t notes;
};

_Static_assert(sizeof(struct unit) == CACHE_LINE_BYTES, "one line a unit");

enum { UNIT_DESCRIPTOR_SHIFT = 6 };
_Static_assert(1 << UNIT_DESCRIPTOR_SHIFT == sizeof(struct unit), "its size is a power of two");

/* What the fast paths need of the layout. limit_bytes grows with the committed heap and bounds the table as well. */
struct heap_layout {
    uintptr_t slots_start;
    _Atomic size_t limit_bytes; /* 0 before the first malloc: every pointer is foreign */
    struct unit *units;
    uintptr_t units_by_address; /* where a descriptor for address 0 would be */
    _Atomic bool has_orphans; /* since a fork some heap may wait to be rebuilt: see heap/thread.h */
    _Atomic bool holds_freed; /* what is freed is held: see heap/limbo.h */
    bool tells_freed; /* the option lifetimes: the recorder is told of each block that is freed */
    _Atomic size_t quick_limit_bytes; /* limit_bytes; 0 when no free() may take the fast path */
};

extern struct heap_layout heap_layout;
/* At least limit_bytes for every address outside. */
static ALWAYS_INLINE size_t heap_offset(const void *address)
{
    return (uintptr_t)address - heap_layout.slots_start;
}

static ALWAYS_INLINE bool heap_contains(const void *address)
{
    return heap_offset(address) < atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
}

/* From units_by_address to the descriptor of an address inside the heap. */
static ALWAYS_INLINE uintptr_t unit_distance(const void *address)
{
    return (uintptr_t)address >> UNIT_SHIFT << UNIT_DESCRIPTOR_SHIFT;
}

/* The descriptor of an address inside the heap. */
static ALWAYS_INLINE struct unit *unit_at(const void *address)
{
    return (struct unit *)(heap_layout.units_by_address + unit_distance(address));
}

static inline uintptr_t unit_start(size_t index)
{
    return heap_layout.slots_start + (index << UNIT_SHIFT);
}

/* Where an address lies in its span: the slot's index, and whether it is the slot's first byte. */
struct slot_position {
    size_t index;
    bool is_start;
};

/*
 * One multiplication by a reciprocal rounded up gives both (Lemire, Kaser, Kurz: "Faster remainder by direct
 * computation", 2019). Exact since offset times slot size stays far below 2^64.
 */
static ALWAYS_INLINE struct slot_position unit_slot_position(const struct unit *unit, const void *address)
{
    unsigned __int128 product = (unsigned __int128)((uintptr_t)address - unit->start) * unit->reciprocal;
    return (struct slot_position){(size_t)(product >> 64), (uint64_t)product < unit->reciprocal};
}

/* The state byte of a slot that is known to be one. */
static inline uint8_t *unit_slot_state(const struct unit *unit, const void *slot)
{
    return unit->states + unit_slot_position(unit, slot).index;
}

#endif
