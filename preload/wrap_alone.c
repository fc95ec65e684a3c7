/*
 * preload/wrap_alone: calls that fail while the collector has a thread of its own, or would leave it behind.
 *
 * The first need a process with a single thread. The others give up privileges, for all threads that libc knows: not for
 * ours, which a program taken over later could make use of. Calls that go around libc's functions and syscall() are not seen.
 */
#include "gc/background.h"
#include "gc/quarantine.h"
#include "gc/threads.h"
#include "preload/export.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <grp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

static void be_alone(void)
{
    if (!region_is_on || !threads_is_own_process())
        return;
    quarantine_end_helper();
    background_end_helper();
}

void wrap_alone(long number)
{
    static const short numbers[] = {
        SYS_unshare,  SYS_setns,    SYS_setuid,    SYS_setgid, SYS_setreuid, SYS_setregid,
        SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (number == numbers[i])
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

EXPORT int setuid(uid_t user)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setuid))(user, 0, 0, 0, 0, 0, 0);
}

EXPORT int setgid(gid_t group)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setgid))(group, 0, 0, 0, 0, 0, 0);
}

EXPORT int seteuid(uid_t user)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_seteuid))(user, 0, 0, 0, 0, 0, 0);
}

EXPORT int setegid(gid_t group)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setegid))(group, 0, 0, 0, 0, 0, 0);
}

EXPORT int setreuid(uid_t real, uid_t effective)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setreuid))(real, effective, 0, 0, 0, 0, 0);
}

EXPORT int setregid(gid_t real, gid_t effective)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setregid))(real, effective, 0, 0, 0, 0, 0);
}

EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setresuid))(real, effective, saved, 0, 0, 0, 0);
}

EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setresgid))(real, effective, saved, 0, 0, 0, 0);
}

EXPORT int setgroups(size_t count, const gid_t *groups)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_setgroups))((long)count, (long)(uintptr_t)groups, 0, 0, 0, 0, 0);
}

EXPORT int initgroups(const char *user, gid_t group)
{
    be_alone();
    return (int)((region_function *)next_function(NEXT_initgroups))((long)(uintptr_t)user, group, 0, 0, 0, 0, 0);
}
