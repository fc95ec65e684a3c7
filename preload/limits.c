/*
 * preload/limits: a program that limits its own address space.
 *
 * RLIMIT_AS counts our reservation too, most of which nobody has touched. It has to shrink, or the program could map nothing any more, not even grow its stack. (A limit that holds when the program starts is seen when
 * the reservation is made.)
 */
#include "base/image.h"
#include "heap/layout.h"
#include "heap/metadata.h"
#include "heap/runs.h"
#include "os/memory.h"
#include "os/thread.h"
#include "preload/export.h"

#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * After the call: a process may be larger than its limit, it only can't grow then. The child of a vfork has other limits
 * than the parent whose memory it shares.
 */
static void fit(int resource, const struct rlimit *limit)
{
    if (resource != RLIMIT_AS || limit == NULL || limit->rlim_cur == RLIM_INFINITY || image_now == NULL ||
        image_now->process_id != os_process_id())
        return;
    run_lock();
    metadata_lock();
    layout_fit(limit->rlim_cur);
    metadata_unlock();
    run_unlock();
}

/* struct rlimit and struct rlimit64 are the same on the machines we know. */
_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "64-bit limits only");

/*
 * The system call itself: looking libc's function up would take the loader's lock, which a thread that is gone may hold in
 * the child of a fork.
 */
static int change(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
    int result = os_change_limit(pid, resource, limit, old);
    if (result != 0) {
        errno = -result;
        return -1;
    }
    if (pid == 0 || pid == os_process_id())
        fit(resource, limit);
    return 0;
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    return change(0, (int)resource, limit, NULL);
}

EXPORT int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit, struct rlimit *old)
{
    return change(pid, (int)resource, limit, old);
}

EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
    __attribute__((alias("setrlimit"), nothrow, leaf));
EXPORT int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit, struct rlimit64 *old)
    __attribute__((alias("prlimit"), nothrow, leaf));
