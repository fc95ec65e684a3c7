/*
 * A server's way down: chroot to the empty folder of the argument, a user without rights, no new privileges. What the allocator reads
 * (/proc) is gone; it works on, and still reports misuse. Needs root; says 77 where it is not.
 */
#include "support/opaque.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *work(void *seed)
{
    workload_run((uintptr_t)seed, 5000);
    return NULL;
}

static void work_in_threads(void)
{
    pthread_t threads[3];

    for (uintptr_t i = 0; i < 3; i++)
        require(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

int main(int count, char **arguments)
{
    void *block;

    subject_require(arguments);
    require(count == 2);
    if (geteuid() != 0)
        return 77;
    work(NULL);
    /* Refused with EINVAL to a process with a second thread: the allocator must not have started one. */
    require(unshare(CLONE_NEWUSER) == 0 || errno != EINVAL);
    if (chroot(arguments[1]) != 0)
        return 77;
    require(chdir("/") == 0 && access("/proc", F_OK) != 0);
    work_in_threads();
    require(setgroups(0, NULL) == 0 || errno == EPERM);
    require(setgid(65534) == 0 || errno == EINVAL);
    require(setuid(65534) == 0 || errno == EINVAL);
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    require(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
    work_in_threads();
    block = malloc(48);
    free(block);
    free(opaque(block));
    require(subject_verify());
    return 0;
}
