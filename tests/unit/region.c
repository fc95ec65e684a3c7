/* gc/region: who is in a region is as good as stopped, and stays so until the stop has ended. */
#include "gc/region.h"

#include "gc/stop.h"
#include "gc/threads.h"
#include "os/thread.h"
#include "support/require.h"
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int gate[2];
static _Atomic int begun;
static _Atomic bool ends;
static _Atomic uint64_t counter;
static _Atomic int thread_id;
static _Atomic uintptr_t argument_seen;

static int stop_at_last(void)
{
    int result = -EAGAIN;
    struct timespec moment = {0, 5000000};
    for (int i = 0; i < 1000 && (result = stop_begin()) == -EAGAIN; i++)
        nanosleep(&moment, NULL);
    return result;
}

static const struct stopped *stopped_thread(void)
{
    for (size_t i = 0; i < stop_count(); i++)
        if (stop_threads()[i].thread_id == thread_id)
            return &stop_threads()[i];
    return NULL;
}

static long read_gate(long number, long b, long c, long d, long e, long f, long g)
{
    char byte;
    (void)b, (void)c, (void)d, (void)e, (void)f, (void)g;
    begun++;
    while (read(gate[0], &byte, 1) != 1)
        require(errno == EINTR);
    errno = 1234;
    return number + byte;
}

static void open_gate(void)
{
    require(write(gate[1], "\1", 1) == 1);
}

static void start_all(void)
{
    ck_assert_int_eq(stop_start(), 0);
    ck_assert_int_eq(pipe(gate), 0);
}

static void *wait_in_region(void *argument)
{
    thread_id = os_thread_id();
    require(thread_register(0, 0) != NULL);
    errno = 0;
    long result = region_call(read_gate, (long)argument, 2, 3, 4, 5, 6, 7);
    require(errno == 1234);
    counter++;
    thread_unregister();
    return (void *)result;
}

static void await(_Atomic int *value, int wanted)
{
    while (*value < wanted)
        sched_yield();
}

/* Some word between the stack pointer and the end of the frames holds the argument, whatever became of the register. */
static bool holds(uintptr_t stack_pointer, uintptr_t value)
{
    for (uintptr_t at = stack_pointer; at < stack_pointer + 512; at += sizeof at)
        if (*(uintptr_t *)at == value)
            return true;
    return false;
}

START_TEST(a_thread_in_a_region_gets_no_signal)
{
    static const uintptr_t SECRET = 0x5ec2e7000;
    pthread_t thread;
    void *result;
    start_all();
    require(pthread_create(&thread, NULL, wait_in_region, (void *)SECRET) == 0);
    await(&begun, 1);
    ck_assert_int_eq(stop_at_last(), 0);
    const struct stopped *stopped = stopped_thread();
    bool is_region = stopped != NULL && stopped->is_region;
    bool holds_argument = is_region && holds(stopped->stack_pointer, SECRET);
    open_gate(); /* it comes out, and no further */
    for (int i = 0; i < 1000; i++)
        sched_yield();
    uint64_t count = counter;
    stop_end();
    pthread_join(thread, &result);
    ck_assert(is_region);
    ck_assert(holds_argument);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(counter, 1);
    ck_assert_ptr_eq(result, (void *)(SECRET + 1));
}
END_TEST

static _Atomic int in_handler;
static sigjmp_buf jump;
static bool jumps;

static void handle(int signal)
{
    uintptr_t suspended = region_suspend();
    (void)signal;
    in_handler = 1;
    while (!ends)
        counter++;
    in_handler = 0;
    if (jumps)
        siglongjmp(jump, 1);
    region_resume(suspended);
}

static void check_standing_still(void)
{
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        const struct stopped *stopped = stopped_thread();
        bool is_region = stopped == NULL || stopped->is_region;
        uint64_t before = counter;
        for (int round = 0; round < 10; round++)
            sched_yield();
        uint64_t after = counter;
        stop_end();
        ck_assert(!is_region);
        ck_assert_uint_eq(before, after);
    }
}

START_TEST(a_handler_is_no_part_of_the_region)
{
    pthread_t thread;
    start_all();
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGUSR1, &action, NULL);
    require(pthread_create(&thread, NULL, wait_in_region, NULL) == 0);
    await(&begun, 1);
    pthread_kill(thread, SIGUSR1);
    await(&in_handler, 1);
    check_standing_still();
    ends = true;
    while (in_handler != 0)
        sched_yield();
    ck_assert_int_eq(stop_at_last(), 0); /* in the region again, or on the way there */
    stop_end();
    open_gate();
    pthread_join(thread, NULL);
}
END_TEST

static void *jump_out_of_region(void *argument)
{
    if (sigsetjmp(jump, 1) == 0)
        return wait_in_region(argument);
    ends = false;
    begun++;
    while (!ends)
        counter++;
    return argument;
}

START_TEST(a_jump_out_of_a_handler_ends_the_region)
{
    pthread_t thread;
    start_all();
    jumps = true;
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGUSR1, &action, NULL);
    require(pthread_create(&thread, NULL, jump_out_of_region, NULL) == 0);
    await(&begun, 1);
    pthread_kill(thread, SIGUSR1);
    await(&in_handler, 1);
    ends = true;
    await(&begun, 2);
    check_standing_still();
    ends = true;
    pthread_join(thread, NULL);
}
END_TEST

static void note_region(void *argument)
{
    (void)argument;
    argument_seen = thread_self->region_stack_pointer;
    begun++;
    while (!ends)
        counter++;
}

static void *be_cancelled_in_region(void *argument)
{
    pthread_cleanup_push(note_region, NULL);
    wait_in_region(argument);
    pthread_cleanup_pop(0);
    return argument;
}

START_TEST(cancelling_a_thread_ends_its_region)
{
    pthread_t thread;
    void *result;
    start_all();
    argument_seen = 1;
    require(pthread_create(&thread, NULL, be_cancelled_in_region, NULL) == 0);
    await(&begun, 1);
    pthread_cancel(thread);
    await(&begun, 2);
    ck_assert_uint_eq(argument_seen, 0);
    check_standing_still();
    ends = true;
    pthread_join(thread, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
}
END_TEST

static long call_kernel(long a, long b, long c, long d, long e, long f, long g)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g;
    return getppid();
}

static void *come_and_go(void *argument)
{
    require(thread_register(0, 0) != NULL);
    begun++;
    while (!ends) {
        region_call(call_kernel, 1, 2, 3, 4, 5, 6, 7);
        counter++;
    }
    thread_unregister();
    return argument;
}

/* The race that the barrier is for: nobody runs outside a region while all are stopped. */
START_TEST(threads_that_go_in_and_out)
{
    pthread_t threads[4];
    start_all();
    for (int i = 0; i < 4; i++)
        require(pthread_create(&threads[i], NULL, come_and_go, NULL) == 0);
    await(&begun, 4);
    for (int i = 0; i < 300; i++) {
        ck_assert_int_eq(stop_at_last(), 0);
        uint64_t before = counter;
        sched_yield();
        uint64_t after = counter;
        stop_end();
        ck_assert_uint_eq(before, after);
    }
    ends = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* A thread without a record, and one that is in a region already, just call. */
START_TEST(calls_without_a_region)
{
    start_all();
    thread_unregister();
    open_gate();
    ck_assert_int_eq(region_call(read_gate, 41, 0, 0, 0, 0, 0, 0), 42);
    require(thread_register(0, 0) != NULL);
    thread_self->region_stack_pointer = 99;
    open_gate();
    ck_assert_int_eq(region_call(read_gate, 41, 0, 0, 0, 0, 0, 0), 42);
    ck_assert_uint_eq(thread_self->region_stack_pointer, 99);
}
END_TEST

static TCase *region(void)
{
    TCase *tests = tcase_create("region");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_thread_in_a_region_gets_no_signal);
    tcase_add_test(tests, a_handler_is_no_part_of_the_region);
    tcase_add_test(tests, a_jump_out_of_a_handler_ends_the_region);
    tcase_add_test(tests, cancelling_a_thread_ends_its_region);
    tcase_add_test(tests, threads_that_go_in_and_out);
    tcase_add_test(tests, calls_without_a_region);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {region};
    return suite_run("gc/region", makers, 1);
}
