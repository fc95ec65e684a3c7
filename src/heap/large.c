/*
 * heap/large: blocks beyond the largest size class.
 *
 * Uses os, base. Locks: heap/large_lock.c, around moves, outside the run lock.
 */
#include "heap/large.h"

#include "base/bits.h"
#include "base/image.h"
#include "base/invariant.h"
#include "base/lock.h"
#include "heap/birth.h"
#include "heap/collector.h"
#include "heap/guard.h"
#include "heap/kept.h"
#include "heap/limbo.h"
#include "heap/lookup.h"
#include "heap/metadata.h"
#include "heap/misuse.h"
#include "heap/moved.h"
#include "heap/note.h"
#include "heap/purge.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/layout.h"
#include "heap/thread.h"
#include "os/memory.h"

#include <errno.h>
#include <string.h>

enum {
    MOVE_BYTES_MIN = 128 * 1024, /* from here on moving page table entries is cheaper than copying */
    HUGE_BYTES_MIN = 4 * 1024 * 1024,
    TRAPPED_MAX = 8192, /* each takes up to two of the 65,530 mappings that a process may have, */
    MOVED_MAX = 8192,   /* and so does each piece whose pages were moved */
    CLEAN_BYTES_MIN = 1024 * 1024, /* clearing is cheaper than faulting, but who asks for this much may touch little */
};

static _Atomic uint32_t trapped_count;
static _Atomic bool copy_only;

/* The units of a block that have descriptors: see heap/unit.h. Returns the next after `index`. */
static size_t next_described(size_t index, size_t first)
{
    size_t border = round_up(first, GRANULE_UNITS);
    return index < border || index % GRANULE_UNITS != 0 ? index + 1 : index + GRANULE_UNITS;
}

static uint8_t keepable_units(const struct span *span)
{
    return span->unit_count <= KEPT_UNITS_MAX && !span_is_guarded(span) ? (uint8_t)span->unit_count : 0;
}

static void describe_unit(struct span *span, size_t index)
{
    struct unit *unit = &heap_layout.units[index];
    unit->start = span->start;
    unit->reciprocal = 0;
    unit->slot_bytes = span->slot_bytes;
    unit->use = USE_MALLOC;
    unit->keepable_units = keepable_units(span);
    unit->kind = UNIT_LARGE;
    __atomic_store_n(&unit->span, span, __ATOMIC_RELEASE);
}

/* The descriptors in [from_unit, end of the block); the block's first unit last, as in heap/span.c. */
static void describe(struct span *span, size_t from_unit)
{
    size_t limit = span->first_unit + span->unit_count;
    for (size_t i = next_described(span->first_unit, span->first_unit); i < limit;
         i = next_described(i, span->first_unit))
        if (i >= from_unit)
            describe_unit(span, i);
    describe_unit(span, span->first_unit);
}

/* Clears the descriptors in [from_unit, end of the block). */
static void undescribe(struct span *span, size_t from_unit)
{
    size_t limit = span->first_unit + span->unit_count;
    for (size_t i = span->first_unit; i < limit; i = next_described(i, span->first_unit)) {
        if (i < from_unit)
            continue;
        struct unit *unit = &heap_layout.units[i];
        unit->kind = UNIT_FREE;
        unit->span = NULL;
    }
}

static void clear_dirty(size_t first_unit, size_t unit_count)
{
    size_t limit = first_unit + unit_count;
    size_t end;
    for (size_t from = run_find(first_unit, limit, true, &end); from < limit; from = run_find(end, limit, true, &end))
        memset((void *)unit_start(from), 0, (end - from) << UNIT_SHIFT);
}

/* Taken back from every block, since one may have been larger. */
static void prefer_huge_pages(const struct span *span, bool wanted)
{
    if (options_now()->huge_pages == HUGE_PAGES_LARGE && (!wanted || span->slot_bytes >= HUGE_BYTES_MIN))
        os_set_huge_pages((void *)span->start, span->slot_bytes, wanted);
}

static void set_extent(struct span *span, size_t first_unit, size_t unit_count)
{
    span->start = unit_start(first_unit);
    span->first_unit = first_unit;
    span->unit_count = unit_count;
    span->slot_bytes = unit_count << UNIT_SHIFT;
    span->slot_count = 1;
}

void *large_publish(struct span *span)
{
    void *block = (void *)span->start;
    HOLD(block);
    atomic_store_explicit(&heap_layout.units[span->first_unit].large_state, birth_state_now(), memory_order_relaxed);
    describe(span, 0);
    return block;
}

void large_set_leaf(void *block)
{
    atomic_store_explicit(&unit_at(block)->large_state, slot_state_of(SLOT_LEAF, image_now->birth), memory_order_relaxed);
}

COLD void large_set_use(void *block, enum unit_use use)
{
    struct span *span = unit_at(block)->span;
    size_t limit = span->first_unit + span->unit_count;
    for (size_t i = span->first_unit; i < limit; i = next_described(i, span->first_unit))
        __atomic_store_n(&heap_layout.units[i].use, (uint8_t)use, __ATOMIC_RELAXED);
}

static struct span *take_run(size_t unit_count, size_t align_units, enum run_preference preference)
{
    struct span *span = metadata_take(sizeof *span);
    if (span == NULL)
        return NULL;
    size_t first = run_take(unit_count, align_units, preference);
    if (first == SIZE_MAX) {
        metadata_put(span, sizeof *span);
        return NULL;
    }
    set_extent(span, first, unit_count);
    return span;
}

static bool wants_clean(size_t size_bytes, bool zeroed)
{
    return zeroed && size_bytes >= CLEAN_BYTES_MIN;
}

static void *allocate_from(size_t size_bytes, size_t align_bytes, bool zeroed, enum run_preference preference)
{
    size_t unit_count = large_units(size_bytes);
    size_t align_units = align_bytes > UNIT_BYTES ? align_bytes >> UNIT_SHIFT : 1;
    if (unit_count > image_now->unit_limit || align_units > image_now->unit_limit)
        return NULL;
    struct span *span = take_run(unit_count, align_units, preference);
    if (span == NULL)
        return NULL;
    if (zeroed)
        clear_dirty(span->first_unit, unit_count);
    prefer_huge_pages(span, true);
    return large_publish(span);
}

void *large_allocate(size_t size_bytes, size_t align_bytes, bool zeroed)
{
    return allocate_from(size_bytes, align_bytes, zeroed, wants_clean(size_bytes, zeroed) ? RUN_CLEAN_FIRST : RUN_DIRTY_FIRST);
}

void *large_allocate_dirty(size_t size_bytes, size_t align_bytes, bool zeroed)
{
    return wants_clean(size_bytes, zeroed) ? NULL : allocate_from(size_bytes, align_bytes, zeroed, RUN_DIRTY_ONLY);
}

struct span *large_take_run(size_t unit_count, size_t align_units)
{
    return take_run(unit_count, align_units, RUN_CLEAN_FIRST);
}

void large_destroy(struct span *span)
{
    prefer_huge_pages(span, false);
    note_give_up(span);
    run_lock();
    undescribe(span, 0);
    run_set_dirty(span->first_unit, span->unit_count, true);
    run_put(span->first_unit, span->unit_count);
    run_unlock();
    span_put_columns(span);
    metadata_put(span, sizeof *span);
}

COLD void large_give_up(struct span *span)
{
    set_extent(span, span->first_unit, span->unit_count);
    large_destroy(span);
}

/* The block is free: its run is kept for another, or given back. */
static void let_go(struct thread_heap *heap, struct unit *first)
{
    if (LIKELY(kept_add(heap, first)))
        return;
    if (UNLIKELY(span_is_guarded(first->span)))
        guard_end(first->span);
    else
        large_destroy(first->span);
}

/* The generations of the block's note are used up: it stays for ever, without its pages. */
COLD static void retire(struct unit *unit)
{
    if (!span_is_guarded(unit->span))
        os_purge((void *)unit->start, unit->slot_bytes);
    atomic_store_explicit(&unit->large_state, SLOT_RETIRED, memory_order_release);
}

COLD bool large_end_note(struct unit *unit, void *caller)
{
    struct block block;
    if (atomic_load_explicit(&unit->large_state, memory_order_relaxed) == SLOT_RETIRED) {
        misuse_double_free((void *)unit->start, unit->slot_bytes, caller);
        return false;
    }
    if (!lookup_block((void *)unit->start, &block) || !heap_note_freeing(&block, caller))
        return false;
    bool may_go = note_end(&block);
    if (!may_go)
        retire(unit);
    return may_go;
}

/* A collector frees a block that is noted. False when it stays. */
COLD static bool reclaim_note(struct unit *unit)
{
    struct block block;
    if (!lookup_block((void *)unit->start, &block))
        return true;
    heap_note_reclaimed(&block);
    bool may_go = note_end(&block);
    if (!may_go)
        retire(unit);
    return may_go;
}

bool large_is_noted(const struct unit *unit)
{
    return slot_is_noted(atomic_load_explicit(&unit->large_state, memory_order_relaxed));
}

COLD void large_release(struct thread_heap *heap, void *block)
{
    struct unit *unit = unit_at(block);
    if (UNLIKELY(large_is_noted(unit)) && !reclaim_note(unit))
        return;
    atomic_store_explicit(&unit->large_state, SLOT_FREE, memory_order_release);
    let_go(heap, unit);
}

COLD bool large_reclaim(struct unit *unit, uint32_t birth)
{
    uint8_t state = atomic_load_explicit(&unit->large_state, memory_order_relaxed);
    if (!slot_is_reclaimable(state, birth) || (slot_is_noted(state) && !reclaim_note(unit)) ||
        !slot_state_reclaim((uint8_t *)&unit->large_state, birth))
        return false;
    let_go(NULL, unit);
    return true;
}

bool large_trap(struct span *span)
{
    void *block = (void *)span->start;
    if (os_purge(block, span->slot_bytes) != 0)
        return false;
    span->is_emptied = true;
    if (atomic_load_explicit(&trapped_count, memory_order_relaxed) < TRAPPED_MAX && os_make_inaccessible(block, span->slot_bytes) == 0) {
        span->is_trapped = true;
        atomic_fetch_add_explicit(&trapped_count, 1, memory_order_relaxed);
    }
    return true;
}

/* Units whose mapping was moved are renewed when they are purged, so they count as dirty. */
bool large_release_held(struct span *span)
{
    if (span_is_guarded(span)) {
        atomic_store_explicit(&heap_layout.units[span->first_unit].large_state, SLOT_FREE, memory_order_release);
        guard_retire(span);
        return true;
    }
    if (span->is_trapped) {
        if (os_make_accessible((void *)span->start, span->slot_bytes) != 0)
            return false;
        atomic_fetch_sub_explicit(&trapped_count, 1, memory_order_relaxed);
    }
    prefer_huge_pages(span, false);
    note_give_up(span);
    run_lock();
    undescribe(span, 0);
    bool is_moved = moved_any(span->first_unit, span->unit_count);
    run_set_dirty(span->first_unit, span->unit_count, !span->is_emptied || is_moved);
    run_put(span->first_unit, span->unit_count);
    run_unlock();
    span_put_columns(span);
    metadata_put(span, sizeof *span);
    return true;
}

/* The exchange decides between two threads that free the same block: one frees, the other is told. */
void large_free(struct thread_heap *heap, void *block, struct unit *unit, void *caller)
{
    if ((uintptr_t)block != unit->start || unit->use != USE_MALLOC) {
        misuse_invalid_free(block, caller);
        return;
    }
    if (UNLIKELY(large_is_noted(unit)) && !large_end_note(unit, caller))
        return;
    uint8_t state = atomic_exchange_explicit(&unit->large_state, SLOT_FREE, memory_order_acq_rel);
    if (!slot_is_allocated(state)) {
        misuse_double_free(block, unit->slot_bytes, caller);
        return;
    }
    if (UNLIKELY(unit->keepable_units == 0) && span_is_guarded(unit->span))
        guard_freed(unit->span, caller);
    let_go(heap, unit);
}

/*
 * Where a block was or has been longer, with the option quarantine: units that its old addresses lead to, held as a block of their own. The
 * record is the caller's to give.
 */
static void hold_units(struct span *left, size_t first_unit, size_t unit_count)
{
    set_extent(left, first_unit, unit_count);
    atomic_store_explicit(&heap_layout.units[first_unit].large_state, limbo_state_now, memory_order_relaxed);
    run_lock();
    describe(left, 0);
    run_unlock();
    limbo_large(left);
}

/* Without a record the block keeps its length. */
COLD static void shrink_held(struct span *span, size_t unit_count)
{
    struct span *left = metadata_take(sizeof *left);
    if (left == NULL)
        return;
    size_t first_cut = span->first_unit + unit_count;
    size_t cut_count = span->unit_count - unit_count;
    large_lock();
    run_lock();
    undescribe(span, first_cut);
    span->unit_count = unit_count;
    span->slot_bytes = unit_count << UNIT_SHIFT;
    describe_unit(span, span->first_unit);
    run_unlock();
    hold_units(left, first_cut, cut_count);
    large_unlock();
}

static void shrink(struct span *span, size_t unit_count)
{
    if (UNLIKELY(heap_layout.holds_freed)) {
        shrink_held(span, unit_count);
        return;
    }
    size_t first_cut = span->first_unit + unit_count;
    size_t cut_count = span->unit_count - unit_count;
    run_lock();
    undescribe(span, first_cut);
    span->unit_count = unit_count;
    span->slot_bytes = unit_count << UNIT_SHIFT;
    describe_unit(span, span->first_unit);
    run_set_dirty(first_cut, cut_count, true);
    run_put(first_cut, cut_count);
    run_unlock();
}

static bool grow_in_place(struct span *span, size_t unit_count)
{
    size_t old_end = span->first_unit + span->unit_count;
    if (!run_take_at(old_end, unit_count - span->unit_count))
        return false;
    if (UNLIKELY(class_rule.zeroes))
        clear_dirty(old_end, unit_count - span->unit_count);
    run_lock();
    span->unit_count = unit_count;
    span->slot_bytes = unit_count << UNIT_SHIFT;
    describe(span, old_end);
    run_unlock();
    return true;
}

enum transfer { TRANSFER_MOVED, TRANSFER_COPIED, TRANSFER_IMPOSSIBLE };

void large_copy_only(bool only)
{
    copy_only = only;
}

static _Atomic bool is_fixed;
static _Atomic bool is_tracked; /* since the first time: a block's pages may lie in several mappings, and are copied */

static bool renew(size_t first_unit, size_t unit_count)
{
    return os_renew((void *)unit_start(first_unit), unit_count << UNIT_SHIFT,
                    options_now()->huge_pages == HUGE_PAGES_ALWAYS) == 0;
}

/*
 * Brings the block's contents to another run. After TRANSFER_MOVED its own run reads as zero. TRANSFER_IMPOSSIBLE is the
 * end of that other run: the kernel has unmapped it and does not map it again.
 */
static enum transfer transfer(struct span *span, size_t to_unit, bool copy)
{
    void *from = (void *)span->start;
    void *to = (void *)unit_start(to_unit);
    bool whole_pages = purge_page_units() == 1;
    copy |= atomic_load_explicit(&is_tracked, memory_order_relaxed) || moved_count() >= MOVED_MAX;
    if (!copy && !copy_only && whole_pages && span->slot_bytes >= MOVE_BYTES_MIN) {
        int result = os_move_pages(from, to, span->slot_bytes);
        if (result == 0) {
            atomic_fetch_add_explicit(&image_now->moved_bytes, span->slot_bytes, memory_order_relaxed);
            return TRANSFER_MOVED;
        }
        if (result == -EFAULT && !renew(to_unit, span->unit_count))
            return TRANSFER_IMPOSSIBLE;
    }
    memcpy(to, from, span->slot_bytes);
    return TRANSFER_COPIED;
}

/*
 * The run that a block has left. Where its pages went with it, its mapping is renewed at once and it is clean; the new
 * one's is renewed when it is purged.
 */
static void give_up_run(size_t first_unit, size_t unit_count, bool pages_moved)
{
    bool is_clean = pages_moved && renew(first_unit, unit_count);
    run_lock();
    if (is_clean)
        moved_clear(first_unit, unit_count);
    run_set_dirty(first_unit, unit_count, !is_clean);
    run_put(first_unit, unit_count);
    run_unlock();
}

/*
 * Where the block goes, and how. Pages are moved into a clean run, since the target's own would be thrown away; but then
 * what the block gained faults in. Measured, a fault costs as much as copying five pages: who grows by a fifth or more
 * is copied if a dirty run is at hand.
 */
static size_t find_target(const struct span *span, size_t unit_count, bool *copy_out)
{
    size_t gained = unit_count - span->unit_count;
    size_t target = gained >= span->unit_count / 5 ? run_take(unit_count, 1, RUN_DIRTY_ONLY) : SIZE_MAX;
    *copy_out = target != SIZE_MAX;
    return *copy_out ? target : run_take(unit_count, 1, RUN_CLEAN_FIRST);
}

void large_fix(bool fixed)
{
    atomic_store_explicit(&is_fixed, fixed, memory_order_relaxed);
    if (fixed)
        atomic_store_explicit(&is_tracked, true, memory_order_relaxed);
}

static bool grow_where_it_is(struct span *span, size_t unit_count)
{
    if (heap_collector == NULL)
        return grow_in_place(span, unit_count);
    large_lock();
    bool has_grown = !atomic_load_explicit(&is_fixed, memory_order_relaxed) && grow_in_place(span, unit_count);
    large_unlock();
    return has_grown;
}

/*
 * Who looks for written pages passes over units without a block, as these were while they were copied to, and takes what he has
 * seen for clean. Now they are a block's, and written once more.
 */
COLD static void write_again(uintptr_t start, size_t size_bytes)
{
    for (uintptr_t place = start; place < start + size_bytes; place += os_page_bytes())
        *(volatile char *)place = *(volatile char *)place;
}

static void tell_of_copy(uintptr_t start, size_t size_bytes)
{
    if (UNLIKELY(atomic_load_explicit(&is_tracked, memory_order_relaxed)))
        write_again(start, size_bytes);
    heap_collector_copied((void *)start, size_bytes);
}

static void *move_unlocked(struct span *span, size_t unit_count)
{
    bool copy;
    bool holds = heap_layout.holds_freed;
    struct span *left = holds ? metadata_take(sizeof *left) : NULL;
    size_t to_unit = holds && left == NULL ? SIZE_MAX : find_target(span, unit_count, &copy);
    enum transfer how = to_unit == SIZE_MAX ? TRANSFER_IMPOSSIBLE : transfer(span, to_unit, copy);
    if (how == TRANSFER_IMPOSSIBLE) { /* a target stays taken for good */
        metadata_put(left, sizeof *left);
        return NULL;
    }
    bool pages_moved = how == TRANSFER_MOVED;
    size_t copied_bytes = span->slot_bytes;
    size_t old_first = span->first_unit;
    size_t old_count = span->unit_count;
    note_give_up(span); /* of former blocks: one that is noted now does not come here */
    bool is_leaf = slot_kind(atomic_load_explicit(&heap_layout.units[old_first].large_state, memory_order_relaxed)) == SLOT_LEAF;
    run_lock();
    undescribe(span, 0);
    if (pages_moved)
        moved_set(to_unit, old_count);
    run_unlock();
    set_extent(span, to_unit, unit_count);
    if (UNLIKELY(class_rule.zeroes))
        clear_dirty(to_unit + old_count, unit_count - old_count);
    large_publish(span);
    if (is_leaf)
        large_set_leaf((void *)span->start);
    tell_of_copy(span->start, copied_bytes);
    if (UNLIKELY(holds))
        hold_units(left, old_first, old_count);
    else
        give_up_run(old_first, old_count, pages_moved);
    return (void *)span->start;
}

static void *move(struct span *span, size_t unit_count)
{
    bool is_watched = heap_collector != NULL || heap_layout.holds_freed;
    if (is_watched)
        large_lock();
    void *moved = move_unlocked(span, unit_count);
    if (is_watched)
        large_unlock();
    return moved;
}

/*
 * Blocks that had to move get an eighth more units, whose pages stay untouched until they are used; so shrinking by less
 * than that keeps them.
 */
static size_t units_to_grow_to(const struct span *span, size_t needed)
{
    size_t generous = span->unit_count + span->unit_count / 8;
    return needed > generous ? needed : generous;
}

void *large_resize(void *block, struct span *span, size_t size_bytes)
{
    size_t needed = large_units(size_bytes);
    if (needed <= span->unit_count) {
        if (needed < span->unit_count - span->unit_count / 8)
            shrink(span, needed);
        return block;
    }
    if (needed > image_now->unit_limit)
        return NULL;
    if (grow_where_it_is(span, needed))
        return block;
    void *moved = move(span, units_to_grow_to(span, needed));
    if (moved == NULL)
        moved = move(span, needed);
    HOLD(block); /* until here: all else that is needed of it is its span, and a collector may stop who waits for the lock */
    return moved;
}
