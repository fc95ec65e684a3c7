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
#include "os/thread.h"
#include "preload/export.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
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

typedef int set_limit(__rlimit_resource_t resource, const struct rlimit *limit);
typedef int change_limit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit, struct rlimit *old);

static int no_such_function(void)
{
    errno = ENOSYS;
    return -1;
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    set_limit *next;
    *(void **)&next = dlsym(RTLD_NEXT, "setrlimit");
    int result = next != NULL ? next(resource, limit) : no_such_function();
    if (result == 0)
        fit((int)resource, limit);
    return result;
}

EXPORT int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit, struct rlimit *old)
{
    change_limit *next;
    *(void **)&next = dlsym(RTLD_NEXT, "prlimit");
    int result = next != NULL ? next(pid, resource, limit, old) : no_such_function();
    if (result == 0 && (pid == 0 || pid == os_process_id()))
        fit((int)resource, limit);
    return result;
}

EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
    __attribute__((alias("setrlimit"), nothrow, leaf));
EXPORT int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit, struct rlimit64 *old)
    __attribute__((alias("prlimit"), nothrow, leaf));
