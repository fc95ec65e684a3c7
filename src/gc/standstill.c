/*
 * gc/standstill: what a sweep of the quarantine does while threads stand still.
 *
 * Uses os, heap. Locks: the collector's, or the roots' where there is none, and all of the heap's inside.
 */
#include "gc/standstill.h"

#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/trawl.h"
#include "heap/collector.h"
#include "heap/fork.h"
#include "heap/limbo.h"
#include "heap/span.h"
#include "os/thread.h"

#include <errno.h>

static const uint64_t CLEAN_NS = 400000;

/* No collection is under way meanwhile, and nobody else reads the roots. */
static void exclude_others(void)
{
    if (heap_collector != NULL)
        heap_collector->lock();
    else
        roots_lock();
}

static void admit_others(void)
{
    if (heap_collector != NULL)
        heap_collector->unlock();
    else
        roots_unlock();
}

static void look_at_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    pointed_range(context, start, end, step_bytes);
}

static int search_all(struct pointed *pointed)
{
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count))
        pointed_note_span(pointed, span);
    int result = roots_scan(look_at_root, pointed);
    if (result != 0)
        return result;
    pointed->unreadable = roots_unreadable(&pointed->unreadable_count);
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count))
        pointed_span(pointed, span);
    return 0;
}

struct standing {
    enum standstill work;
    struct pointed *pointed;
    int result;
    uint64_t start_ns;
    uint64_t resumed_ns;
};

/* All other threads are stopped, and the heap's locks are held. */
static int work_stopped(enum standstill work, struct pointed *pointed)
{
    int result = 0;
    if (work == STANDSTILL_CLEAN)
        return (int)trawl_step_stopped(CLEAN_NS);
    if (work != STANDSTILL_FINISH) {
        limbo_turn();
        result = pointed_begin(pointed);
    }
    if (result != 0 || work == STANDSTILL_TURN)
        return result;
    if (work == STANDSTILL_SEARCH || !trawl_is_complete())
        return search_all(pointed);
    trawl_finish();
    return roots_scan(look_at_root, pointed);
}

static void stop_and_work(void *context)
{
    struct standing *standing = context;
    heap_lock_all();
    standing->result = stop_begin();
    standing->start_ns = os_clock_ns();
    if (standing->result == 0)
        standing->result = work_stopped(standing->work, standing->pointed);
    else
        standing->result = -EAGAIN;
    heap_unlock_all();
    if (stop_count() != 0)
        stop_end();
    standing->resumed_ns = os_clock_ns();
}

int standstill_for(enum standstill work, struct pointed *pointed, uint64_t *pause_ns_out)
{
    struct standing standing = {.work = work, .pointed = pointed};
    exclude_others();
    stop_spill(stop_and_work, &standing);
    admit_others();
    *pause_ns_out = standing.resumed_ns - standing.start_ns;
    return standing.result;
}
