/*
 * own/scan: every word of the process that may be a pointer into the heap.
 *
 * The roots are the collector's (gc/roots); of the heap all that is allocated is read, whether anything leads there or not. Our own
 * frames are left out: the caller's stack begins above them.
 *
 * Uses os, base, heap, gc. Locks: the collector's, then all of the heap's, while threads are stopped.
 */
#include "own/scan.h"

#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"
#include "gc/pinned.h"
#include "gc/roots.h"
#include "gc/roots_tables.h"
#include "gc/stand_in.h"
#include "gc/stop.h"
#include "heap/collector.h"
#include "heap/fork.h"
#include "heap/lookup.h"
#include "heap/span.h"
#include "heap/thread.h"
#include "os/object.h"
#include "os/thread.h"
#include "own/arena.h"
#include "own/pool.h"

#include <errno.h>
#include <string.h>

enum { ATTEMPTS = 4 };

struct scanning {
    const struct scan *scan;
    const struct stopped *threads;
    size_t thread_count;
    int result;
};

static struct area threads_area;

int scan_start(void)
{
    return stand_in_start();
}

/* ---- words ---- */

static bool is_wanted(const struct scan *scan, uintptr_t value)
{
    return value - scan->low < scan->high - scan->low;
}

static uintptr_t word_at(uintptr_t address)
{
    uintptr_t word;
    memcpy(&word, (const void *)address, sizeof word);
    return word;
}

static bool is_unreadable(uintptr_t start, uintptr_t end)
{
    size_t count;
    const struct roots_part *parts = roots_unreadable(&count);
    for (size_t i = 0; i < count; i++)
        if (parts[i].start < end && start < parts[i].end)
            return true;
    return false;
}

static void scan_object(const struct scan *scan, enum scan_where where, uintptr_t start, uintptr_t end)
{
    if (is_unreadable(start, end))
        return;
    for (uintptr_t at = start; at + sizeof(uintptr_t) <= end; at += sizeof(uintptr_t))
        if (UNLIKELY(is_wanted(scan, word_at(at)))) {
            struct scan_place place = {where, (const void *)start, at - start, 0};
            scan->found(&place, word_at(at), scan->context);
        }
}

/* ---- roots ---- */

static const struct stopped *thread_on(const struct scanning *scanning, uintptr_t address)
{
    for (size_t i = 0; i < scanning->thread_count; i++) {
        const struct stopped *thread = &scanning->threads[i];
        if (address >= thread->stack_pointer && address < thread->stack_end)
            return thread;
    }
    return NULL;
}

/* What an owner pins is no pointer: who asks wants to know what there is besides. */
static void scan_pins(const struct scan *scan)
{
    for (size_t i = 0; i < pinned.pin_room; i++)
        if ((pinned.pins[i].count & ~PIN_OWNED) != 0 && is_wanted(scan, pinned.pins[i].address)) {
            struct scan_place place = {SCAN_ROOT, &pinned.pins[i], 0, 0};
            scan->found(&place, pinned.pins[i].address, scan->context);
        }
}

static void scan_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    const struct scanning *scanning = context;
    const struct scan *scan = scanning->scan;
    if (start == pinned.pins) {
        scan_pins(scan);
        return;
    }
    const struct stopped *thread = thread_on(scanning, (uintptr_t)start);
    uintptr_t at = ((uintptr_t)start + 7) & ~(uintptr_t)7;
    (void)step_bytes;
    for (; at + sizeof(uintptr_t) <= (uintptr_t)end; at += sizeof(uintptr_t))
        if (UNLIKELY(is_wanted(scan, word_at(at)))) {
            struct scan_place place = {thread != NULL ? SCAN_STACK : SCAN_ROOT, (const void *)at, 0,
                                       thread != NULL ? thread->thread_id : 0};
            scan->found(&place, word_at(at), scan->context);
        }
}

/* ---- the heap ---- */

static void scan_pool_chunk(const struct scan *scan, uintptr_t start, uintptr_t end)
{
    for (uintptr_t at = start; at < end;) {
        uintptr_t object;
        size_t size_bytes;
        if (!pool_object((const void *)at, &object, &size_bytes)) {
            at += 8;
            continue;
        }
        scan_object(scan, SCAN_POOL, object, object + size_bytes);
        at = object + size_bytes;
    }
}

/* What was handed out; what lies behind it is of former rounds. */
static void scan_arena_chunk(const struct scan *scan, uintptr_t start)
{
    struct arena_chunk *chunk = (struct arena_chunk *)start;
    const struct arena *arena = chunk->arena;
    char *end = chunk == arena->current ? arena_position(arena) : chunk->used_end;
    for (const struct arena_chunk *spare = arena->spares; spare != NULL; spare = spare->older)
        if (spare == chunk)
            return;
    if (end == NULL || end > arena_chunk_end(chunk))
        end = arena_chunk_end(chunk);
    char *first = (char *)arena > (char *)chunk && (char *)arena < arena_chunk_end(chunk)
                      ? arena_first_object((struct arena *)(uintptr_t)arena)
                      : arena_chunk_start(chunk);
    if (end > first)
        scan_object(scan, SCAN_ARENA, (uintptr_t)first, (uintptr_t)end);
}

static void scan_large(const struct scan *scan, const struct span *span, const struct unit *first)
{
    uint8_t state = atomic_load_explicit(&first->large_state, memory_order_relaxed);
    if (!slot_is_allocated(state))
        return;
    if (first->use == USE_ARENA)
        scan_arena_chunk(scan, span->start);
    else if (first->use == USE_POOL)
        scan_pool_chunk(scan, span->start, span->start + span->slot_bytes);
    else if (slot_kind(state) != SLOT_LEAF)
        scan_object(scan, SCAN_BLOCK, span->start, span->start + span->slot_bytes);
}

static void scan_span(const struct scan *scan, const struct span *span)
{
    const struct unit *first = &heap_layout.units[span->first_unit];
    if (first->kind == UNIT_LARGE) {
        scan_large(scan, span, first);
        return;
    }
    for (uint32_t i = 0; i < span->slot_count; i++) {
        uint8_t state = slot_state_get(&span->states[i]);
        if (slot_is_allocated(state) && slot_kind(state) != SLOT_LEAF)
            scan_object(scan, SCAN_BLOCK, span_slot(span, i), span_slot(span, i) + span->slot_bytes);
    }
}

static void scan_heap(const struct scan *scan)
{
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        scan_span(scan, span);
}

/* ---- all ---- */

/*
 * Our variables hold addresses of the heap, and none that the program has given us. Where we are the program it is only known of the one that says
 * where the first block is.
 */
static int hide_own_data(uintptr_t *start_out)
{
    struct os_object own;
    bool is_library = os_object_find((uintptr_t)hide_own_data, &own) && own.name[0] != '\0';
    *start_out = is_library ? own.start : (uintptr_t)&heap_layout;
    return roots_hide((const void *)*start_out, is_library ? own.end - own.start : sizeof heap_layout);
}

static int scan_stopped(struct scanning *scanning)
{
    uintptr_t own_start;
    bool is_hidden = hide_own_data(&own_start) == 0;
    int result = roots_scan_stacks(scanning->threads, scanning->thread_count, scan_root, scanning);
    if (is_hidden)
        roots_unhide((const void *)own_start);
    scan_heap(scanning->scan);
    if (scanning->scan->finish != NULL)
        scanning->scan->finish(scanning->scan->context);
    return result;
}

/* The stopped threads, the caller's stack being used from `stack_start` on. */
static int take_threads(struct scanning *scanning, uintptr_t stack_start)
{
    size_t count = stop_count();
    if (area_need(&threads_area, count * sizeof(struct stopped)) != 0)
        return -ENOMEM;
    struct stopped *threads = (struct stopped *)threads_area.start;
    memcpy(threads, stop_threads(), count * sizeof *threads);
    for (size_t i = 0; i < count; i++)
        if (threads[i].thread_id == os_thread_id()) {
            threads[i].stack_pointer = stack_start;
            threads[i].registers_start = threads[i].registers_end = 0; /* of our own code; the caller's were spilled */
        }
    scanning->threads = threads;
    scanning->thread_count = count;
    return 0;
}

static void scan_alone(struct scanning *scanning, uintptr_t stack_start)
{
    struct stopped self = {.thread_id = os_thread_id(), .stack_pointer = stack_start};
    scanning->threads = &self;
    scanning->thread_count = 1;
    stand_in_lock();
    heap_lock_all();
    scanning->result = scan_stopped(scanning);
    heap_unlock_all();
    stand_in_unlock();
}

static void scan_all_threads(struct scanning *scanning, uintptr_t stack_start)
{
    heap_collector->lock();
    for (int i = 0; i < ATTEMPTS; i++) {
        heap_lock_all();
        scanning->result = stop_begin();
        if (scanning->result != 0) {
            heap_unlock_all();
            continue;
        }
        scanning->result = take_threads(scanning, stack_start);
        if (scanning->result == 0)
            scanning->result = scan_stopped(scanning);
        heap_unlock_all();
        stop_end();
        break;
    }
    heap_collector->unlock();
}

static void run(void *context)
{
    uintptr_t stack_start = (uintptr_t)__builtin_frame_address(0);
    if (heap_collector != NULL)
        scan_all_threads(context, stack_start);
    else
        scan_alone(context, stack_start);
}

int scan_all(const struct scan *scan)
{
    struct scanning scanning = {.scan = scan};
    if (os_process_id() != image_now->process_id)
        return -EPERM;
    if (heap_collector == NULL && !os_is_single_threaded())
        return -EOPNOTSUPP;
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    stop_spill(run, &scanning);
    return scanning.result;
}
