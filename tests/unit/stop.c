/* gc/stop: all threads stand still, whatever they do, and none of them notices. */
#include "gc/stop.h"

#include "gc/threads.h"
#include "os/thread.h"
#include "support/require.h"
#include "support/suite.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, SPINNERS = 6, STOPS = 300 };

static _Atomic uint64_t counters[THREADS];
static _Atomic bool ends;
static _Atomic int begun;

static void start_all(void)
{
    ck_assert_int_eq(stop_start(), 0);
}

/* On a machine with more to do than it can, a thread may take too long to answer. */
static int stop_at_last(void)
{
    int result = -EAGAIN;
    struct timespec moment = {0, 5000000};
    for (int i = 0; i < 1000 && (result = stop_begin()) == -EAGAIN; i++)
        nanosleep(&moment, NULL);
    return result;
}

static void *spin(void *argument)
{
    _Atomic uint64_t *counter = argument;
    begun++;
    while (!ends)
        (*counter)++;
    return NULL;
}

static uint64_t sum(void)
{
    uint64_t total = 0;
    for (int i = 0; i < THREADS; i++)
        total += counters[i];
    return total;
}

static const struct stopped *find(int thread_id)
{
    for (size_t i = 0; i < stop_count(); i++)
        if (stop_threads()[i].thread_id == thread_id)
            return &stop_threads()[i];
    return NULL;
}

static void await_begun(int count)
{
    while (begun < count)
        sched_yield();
}

START_TEST(one_thread_alone)
{
    start_all();
    for (int i = 0; i < STOPS; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        ck_assert_uint_eq(stop_count(), 1);
        const struct stopped *self = find(os_thread_id());
        ck_assert_ptr_nonnull(self);
        ck_assert_uint_lt(self->stack_pointer, (uintptr_t)&self);
        ck_assert_uint_lt((uintptr_t)&self, self->stack_end);
        stop_end();
    }
}
END_TEST

START_TEST(spinning_threads_stand_still)
{
    pthread_t threads[SPINNERS];
    start_all();
    for (int i = 0; i < SPINNERS; i++)
        require(pthread_create(&threads[i], NULL, spin, &counters[i]) == 0);
    await_begun(SPINNERS);
    for (int i = 0; i < STOPS / 10; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        ck_assert_uint_eq(stop_count(), SPINNERS + 1);
        uint64_t before = sum();
        for (int round = 0; round < 20; round++)
            sched_yield();
        uint64_t after = sum();
        stop_end();
        ck_assert_uint_eq(before, after);
        while (sum() == after)
            sched_yield();
    }
    ends = true;
    for (int i = 0; i < SPINNERS; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static sem_t never;

static void *block(void *argument)
{
    (void)argument;
    begun++;
    require(sem_wait(&never) == 0);
    return NULL;
}

START_TEST(blocked_threads_stay_blocked)
{
    pthread_t threads[THREADS];
    start_all();
    sem_init(&never, 0, 0);
    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, block, NULL) == 0);
    await_begun(THREADS);
    for (int i = 0; i < STOPS; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        ck_assert_uint_eq(stop_count(), THREADS + 1);
        stop_end();
    }
    for (int i = 0; i < THREADS; i++)
        sem_post(&never);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* AddressSanitizer gives each thread an alternate stack, and there no call is made again. */
static void *block_registered(void *argument)
{
    require(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
    *(int *)argument = os_thread_id();
    require(thread_register(0, 0) != NULL);
    block(NULL);
    thread_unregister();
    return NULL;
}

/* The handler of the first stop makes its call again, which lasts. */
START_TEST(giving_up_does_not_wait_for_calls_made_again)
{
    pthread_t thread;
    int thread_id = 0;
    bool is_in_region = false;
    start_all();
    sem_init(&never, 0, 0);
    require(pthread_create(&thread, NULL, block_registered, &thread_id) == 0);
    await_begun(1);
    while (!is_in_region) {
        ck_assert_int_eq(stop_at_last(), 0);
        is_in_region = find(thread_id)->is_region;
        stop_end();
    }
    stop_give_up();
    ck_assert_int_eq(stop_begin(), -EAGAIN);
    stop_take_up();
    ck_assert_int_eq(stop_at_last(), 0);
    stop_end();
    sem_post(&never);
    pthread_join(thread, NULL);
}
END_TEST

static void *end_at_once(void *argument)
{
    counters[0]++;
    return argument;
}

static void *make_others(void *argument)
{
    pthread_attr_t detached;
    begun++;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while (!ends) {
        pthread_t thread;
        require(pthread_create(&thread, NULL, end_at_once, NULL) == 0);
        require(pthread_join(thread, NULL) == 0);
        require(pthread_create(&thread, &detached, end_at_once, NULL) == 0);
    }
    return argument;
}

START_TEST(threads_that_come_and_go)
{
    pthread_t threads[4];
    start_all();
    for (int i = 0; i < 4; i++)
        require(pthread_create(&threads[i], NULL, make_others, NULL) == 0);
    await_begun(4);
    int given_up = 0;
    for (int i = 0; i < STOPS; i++) {
        if (stop_begin() != 0) {
            given_up++;
            continue;
        }
        ck_assert_uint_ge(stop_count(), 5);
        uint64_t before = sum();
        sched_yield();
        ck_assert_uint_eq(before, sum());
        stop_end();
    }
    ends = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_lt(given_up, STOPS / 10);
}
END_TEST

/* The stack pointer given for a stopped thread lies below what the thread holds on its stack. */
static _Atomic uintptr_t local_address;
static _Atomic int local_thread;

static void *spin_with_local(void *argument)
{
    volatile int local = 0;
    local_thread = os_thread_id();
    local_address = (uintptr_t)&local;
    begun++;
    while (!ends)
        local++;
    return argument;
}

static void check_stack_pointer(void)
{
    ck_assert_int_eq(stop_at_last(), 0);
    const struct stopped *stopped = find(local_thread);
    uintptr_t stack_pointer = stopped != NULL ? stopped->stack_pointer : 0;
    uintptr_t registers = stopped != NULL ? stopped->registers_end - stopped->registers_start : 0;
    bool is_apart = stopped != NULL && stopped->registers_start != 0;
    stop_end();
    ck_assert_ptr_nonnull(stopped);
    ck_assert_uint_lt(stack_pointer, local_address);
    ck_assert_uint_gt(stack_pointer, local_address - 65536);
    ck_assert(!is_apart || registers > sizeof(ucontext_t));
}

START_TEST(the_stack_pointer_is_the_threads)
{
    pthread_t thread;
    start_all();
    require(pthread_create(&thread, NULL, spin_with_local, NULL) == 0);
    await_begun(1);
    for (int i = 0; i < 20; i++)
        check_stack_pointer();
    ends = true;
    pthread_join(thread, NULL);
}
END_TEST

static void *spin_with_alternate_stack(void *argument)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, former;
    require(stack.ss_sp != NULL && sigaltstack(&stack, &former) == 0);
    void *result = spin_with_local(argument);
    require(sigaltstack(&former, NULL) == 0); /* AddressSanitizer unmaps what it finds when the thread ends */
    free(stack.ss_sp);
    return result;
}

START_TEST(the_signal_is_taken_on_an_alternate_stack)
{
    pthread_t thread;
    start_all();
    require(pthread_create(&thread, NULL, spin_with_alternate_stack, NULL) == 0);
    await_begun(1);
    check_stack_pointer();
    ends = true;
    pthread_join(thread, NULL);
}
END_TEST

static int spin_c11(void *argument)
{
    spin(argument);
    return 0;
}

START_TEST(threads_of_c11)
{
    thrd_t thread;
    start_all();
    require(thrd_create(&thread, spin_c11, &counters[0]) == thrd_success);
    await_begun(1);
    ck_assert_int_eq(stop_at_last(), 0);
    size_t count = stop_count();
    stop_end();
    ck_assert_uint_eq(count, 2);
    ends = true;
    thrd_join(thread, NULL);
}
END_TEST

static _Atomic int bare_thread;

static int run_bare(void *argument)
{
    bare_thread = os_thread_id();
    while (!ends)
        (*(_Atomic uint64_t *)argument)++;
    return 0;
}

START_TEST(threads_of_a_bare_clone)
{
    enum { STACK_BYTES = 65536 };
    start_all();
    char *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(stack != MAP_FAILED);
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    require(clone(run_bare, stack + STACK_BYTES, flags, &counters[0]) > 0);
    while (bare_thread == 0)
        sched_yield();
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        size_t count = stop_count();
        const struct stopped *bare = find(bare_thread);
        bool in_stack = bare != NULL && bare->stack_pointer - (uintptr_t)stack < STACK_BYTES;
        uint64_t before = counters[0];
        sched_yield();
        uint64_t after = counters[0];
        stop_end();
        ck_assert_uint_eq(count, 2);
        ck_assert(in_stack);
        ck_assert_uint_eq(before, after);
    }
    ends = true;
}
END_TEST

static void *wait_for_any_signal(void *argument)
{
    sigset_t all;
    int signal = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    begun++;
    require(sigwait(&all, &signal) == 0 && signal == SIGUSR1);
    return argument;
}

/* Blocks and takes all signals there are: ours is not among them. */
START_TEST(a_thread_in_sigwait)
{
    pthread_t thread;
    start_all();
    require(pthread_create(&thread, NULL, wait_for_any_signal, NULL) == 0);
    await_begun(1);
    for (int i = 0; i < STOPS; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        stop_end();
    }
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
}
END_TEST

static void *block_everything(void *argument)
{
    uint64_t all = UINT64_MAX;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, sizeof all);
    return spin(argument);
}

START_TEST(a_deaf_thread_makes_us_give_up_soon)
{
    pthread_t thread;
    start_all();
    require(pthread_create(&thread, NULL, block_everything, &counters[0]) == 0);
    await_begun(1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(stop_begin(), -EAGAIN);
    ends = true;
    pthread_join(thread, NULL);
    ck_assert_int_eq(stop_at_last(), 0);
    stop_end();
}
END_TEST

/* Waits in vfork until its child has read a byte. */
static int gate[2];

static void *wait_in_vfork(void *argument)
{
    begun++;
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        char byte;
        syscall(SYS_exit_group, read(gate[0], &byte, 1) == 1 ? 0 : 1);
    }
    int status = 0;
    require(waitpid(child, &status, 0) == child && status == 0);
    return argument;
}

START_TEST(a_thread_in_vfork_makes_us_give_up)
{
    pthread_t thread;
    struct timespec moment = {0, 20000000};
    start_all();
    require(pipe(gate) == 0);
    require(pthread_create(&thread, NULL, wait_in_vfork, NULL) == 0);
    await_begun(1);
    nanosleep(
        &moment,
        NULL); /* nothing says that a thread is in vfork; too early only makes the test easier */
    int result = stop_begin();
    if (result == 0)
        stop_end();
    ck_assert(result == -EAGAIN || result == 0);
    ck_assert_int_eq((int)write(gate[1], "x", 1), 1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(stop_at_last(), 0);
    stop_end();
}
END_TEST

/* What the first two threads of a child find. */
START_TEST(children_of_fork_stop_their_own)
{
    pthread_t thread;
    start_all();
    require(pthread_create(&thread, NULL, spin, &counters[0]) == 0);
    await_begun(1);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            require(stop_at_last() == 0 && stop_count() == 1);
            stop_end();
            begun = 0;
            require(pthread_create(&thread, NULL, spin, &counters[1]) == 0);
            while (begun == 0)
                sched_yield();
            require(stop_at_last() == 0 && stop_count() == 2);
            uint64_t before = counters[1];
            sched_yield();
            require(before == counters[1]);
            stop_end();
            _exit(0);
        }
        int status = 0;
        ck_assert_int_eq(stop_at_last(), 0);
        stop_end();
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    ends = true;
    pthread_join(thread, NULL);
}
END_TEST

/* setuid() in all threads is what libc has the signal for. */
static void *set_ids(void *argument)
{
    begun++;
    while (!ends)
        require(setuid(getuid()) == 0 && setgid(getgid()) == 0);
    return argument;
}

START_TEST(libc_has_its_signal_still)
{
    pthread_t threads[3];
    start_all();
    for (int i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, spin, &counters[i]) == 0);
    require(pthread_create(&threads[2], NULL, set_ids, NULL) == 0);
    await_begun(3);
    for (int i = 0; i < STOPS / 3; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        stop_end();
    }
    ends = true;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/*
 * Calls that a signal ends with EINTR, made through libc. None of them has a region here, so each starts anew with its
 * whole time after a stop: stops are further apart than that, or no call would ever end.
 */
static int eintr_count;

static void *call_what_signals_end(void *argument)
{
    struct timespec moment = {0, 3000000};
    begun++;
    for (int i = 0; i < 30; i++) {
        eintr_count += nanosleep(&moment, NULL) != 0;
        eintr_count += poll(NULL, 0, 3) != 0;
        eintr_count += usleep(2000) != 0;
    }
    ends = true;
    return argument;
}

START_TEST(interrupted_calls_are_made_again)
{
    pthread_t thread;
    start_all();
    require(pthread_create(&thread, NULL, call_what_signals_end, NULL) == 0);
    await_begun(1);
    while (!ends) {
        ck_assert_int_eq(stop_at_last(), 0);
        stop_end();
        usleep(4000);
    }
    pthread_join(thread, NULL);
    ck_assert_int_eq(eintr_count, 0);
}
END_TEST

static TCase *stop(void)
{
    TCase *tests = tcase_create("stop");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, one_thread_alone);
    tcase_add_test(tests, spinning_threads_stand_still);
    tcase_add_test(tests, blocked_threads_stay_blocked);
    tcase_add_test(tests, giving_up_does_not_wait_for_calls_made_again);
    tcase_add_test(tests, threads_that_come_and_go);
    tcase_add_test(tests, the_stack_pointer_is_the_threads);
    tcase_add_test(tests, the_signal_is_taken_on_an_alternate_stack);
    tcase_add_test(tests, threads_of_c11);
    tcase_add_test(tests, threads_of_a_bare_clone);
    tcase_add_test(tests, a_thread_in_sigwait);
    tcase_add_test(tests, a_deaf_thread_makes_us_give_up_soon);
    tcase_add_test(tests, a_thread_in_vfork_makes_us_give_up);
    tcase_add_test(tests, children_of_fork_stop_their_own);
    tcase_add_test(tests, libc_has_its_signal_still);
    tcase_add_test(tests, interrupted_calls_are_made_again);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {stop};
    return suite_run("gc/stop", makers, 1);
}
