/*
 * gc/expect: what the next cycle would take in one stop.
 *
 * Blocks are what it takes: each is a wait for memory, or two. How long that is depends on the machine, and on how a program's blocks
 * lead from one to the other: a tree is read in the order in which it was made, a graph in none. So it is learnt.
 *
 * Uses os, base, heap. Locks: the run lock, while slots are counted.
 */
#include "gc/expect.h"

#include "base/image.h"
#include "gc/cycle_run.h"
#include "gc/history.h"
#include "heap/runs.h"
#include "heap/span.h"

#include <stdatomic.h>

/* Nanoseconds a block; bytes a nanosecond that are read beside; and of old blocks that lead to few young ones. */
enum { BLOCK_NS_MIN = 12, BLOCK_NS_FIRST = 30, BLOCK_NS_MAX = 60, BYTES_A_NS = 16, OLD_BYTES_A_NS = 10 };

enum {
    SPANS_AT_ONCE = 256, /* are counted under the lock */
    AGAIN_PART = 16,     /* slots are counted again when the heap has grown by this part */
    PERMILLE = 1000,
};

static _Atomic uint64_t block_ns = BLOCK_NS_FIRST;
static _Atomic uint64_t old_bytes;   /* that the last full cycle read, and young ones since */
static _Atomic uint64_t young_units; /* taken after the last cycle: those beyond are young */
static _Atomic uint64_t counted_slots;
static _Atomic uint64_t counted_units; /* taken when they were */

static uint64_t units_now(void)
{
    return atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
}

static uint64_t between(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* Time of day tells more than there is on a machine that others use, so it counts within bounds only. */
static void learn(const struct cycle *cycle)
{
    uint64_t reading_ns = cycle_marker.scanned_bytes / BYTES_A_NS;
    uint64_t mark_ns = cycle->marked_ns - cycle->stopped_ns;
    if (cycle->rounds != 0 || cycle_marker.blocks < PERMILLE)
        return;
    uint64_t seen_ns = mark_ns > reading_ns ? (mark_ns - reading_ns) / cycle_marker.blocks : 0;
    block_ns = between(seen_ns, BLOCK_NS_MIN, BLOCK_NS_MAX);
}

void expect_note(const struct cycle *cycle)
{
    if (!cycle->is_young)
        learn(cycle);
    if (!cycle->is_young || cycle->rounds == 0) /* beside the program young ones read old blocks on written pages only */
        old_bytes = cycle_marker.scanned_bytes;
    young_units = units_now();
    counted_units = 0;
}

/* Free ones count, too: they are few where a heap has grown. */
static uint64_t count_slots(void)
{
    uint64_t slots = 0;
    size_t unit = 0;
    while (unit != SIZE_MAX) {
        run_lock();
        struct span *span = span_from(unit);
        for (int i = 0; i < SPANS_AT_ONCE && span != NULL; i++) {
            slots += span_is_large(span) ? 1 : span->slot_count;
            unit = span->first_unit + span->unit_count;
            span = span_from(unit);
        }
        unit = span == NULL ? SIZE_MAX : unit;
        run_unlock();
    }
    return slots;
}

static uint64_t slots_now(void)
{
    uint64_t units = units_now(), before = counted_units;
    if (before == 0 || units > before + before / AGAIN_PART || units < before - before / AGAIN_PART) {
        counted_slots = count_slots();
        counted_units = units;
    }
    return counted_slots;
}

uint64_t expect_full_ns(void)
{
    return slots_now() * block_ns + (units_now() << UNIT_SHIFT) / BYTES_A_NS;
}

/* Only what survives is marked. */
uint64_t expect_young_ns(void)
{
    struct history history;
    history_get(&history);
    bool is_known = history.kinds[HISTORY_YOUNG].cycles != 0;
    uint64_t survived = history.survived_permille[is_known ? HISTORY_YOUNG : HISTORY_FULL];
    uint64_t units = units_now(), then = young_units;
    uint64_t young_slots = units > then ? slots_now() * (units - then) / units : 0;
    return old_bytes / OLD_BYTES_A_NS + young_slots * survived / PERMILLE * block_ns;
}
