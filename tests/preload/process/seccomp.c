/*
 * A sandbox that starts late: only the calls that any malloc needs are left, everything else kills. Blocks of all
 * kinds are taken, resized, freed and given back to the kernel by two threads that already run.
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int allowed[] = {
    SYS_mmap,       SYS_munmap,         SYS_mprotect,     SYS_madvise,         SYS_mremap,
    SYS_brk,        SYS_futex,          SYS_sched_yield,  SYS_write,           SYS_exit,
    SYS_exit_group, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall, SYS_rseq,
};
enum { ALLOWED = sizeof allowed / sizeof *allowed };

static pthread_barrier_t barrier;

static void *work(void *seed)
{
    workload_run((uintptr_t)seed, 100);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    workload_run((uintptr_t)seed, 20000);
    return NULL;
}

static void enter_sandbox(void)
{
    struct sock_filter filter[ALLOWED + 4];
    struct sock_fprog program = {.len = 0, .filter = filter};

    filter[program.len++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < ALLOWED; i++)
        filter[program.len++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i], (unsigned char)(ALLOWED - i), 0);
    filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    require(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
            0);
}

int main(int count, char **arguments)
{
    pthread_t threads[2];
    bool sound;

    (void)count;
    subject_require(arguments);
    require(pthread_barrier_init(&barrier, NULL, 3) == 0);
    for (uintptr_t i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    pthread_barrier_wait(&barrier);
    sound = subject_verify(); /* found by dlsym before the sandbox */
    enter_sandbox();
    pthread_barrier_wait(&barrier);
    workload_run(3, 20000);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    malloc_trim(0);
    require(sound && subject_verify());
    return 0;
}
