/*
 * preload/wrap_alone: calls that fail while the collector has a thread of its own.
 *
 * They need a process with a single thread. Calls that go around libc are not seen.
 */
#include "gc/cycle.h"
#include "gc/threads.h"
#include "preload/export.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <sched.h>
#include <sys/syscall.h>

static void be_alone(void)
{
    if (region_is_on && threads_is_own_process())
        cycle_end_helper();
}

void wrap_alone(long number)
{
    if (number == SYS_unshare || number == SYS_setns)
        be_alone();
}

EXPORT int unshare(int flags)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_unshare))(flags, 0, 0, 0, 0, 0, 0);
}

EXPORT int setns(int file, int kind)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setns))(file, kind, 0, 0, 0, 0, 0);
}
