#include "gc/stand_in.h"

#include "base/lock.h"
#include "gc/ledger.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "heap/collector.h"

static struct lock look_lock;

void stand_in_lock(void)
{
    lock_take(&look_lock);
    roots_lock();
    ledger_lock();
}

void stand_in_unlock(void)
{
    ledger_unlock();
    roots_unlock();
    lock_release(&look_lock);
}

static void reset_locks(void)
{
    lock_reset(&look_lock);
    roots_lock_reset();
    ledger_lock_reset();
}

static bool on_growing(size_t unit_count)
{
    (void)unit_count;
    return false;
}

static void on_exhausted(void)
{
}

int stand_in_start(void)
{
    static const struct heap_collector stand_in = {
        .growing = on_growing,
        .exhausted = on_exhausted,
        .lock = stand_in_lock,
        .unlock = stand_in_unlock,
        .lock_reset = reset_locks,
    };
    if (heap_collector != NULL)
        return 0;
    int result = stop_start();
    if (result == 0)
        heap_collector = &stand_in;
    return result;
}
