/* base/lock: one holder at a time, nobody sleeps for ever. */
#include "base/lock.h"
#include "support/suite.h"
#include "unit/threads.h"

#include <sched.h>
#include <stdint.h>
#include <time.h>

enum { THREADS = 6, ROUNDS = 40000 };

START_TEST(a_lock_is_held_or_free)
{
    struct lock lock = {0};
    lock_take(&lock);
    ck_assert(!lock_try(&lock));
    lock_release(&lock);
    ck_assert(lock_try(&lock));
    ck_assert(!lock_try(&lock));
    lock_reset(&lock);
    ck_assert(lock_try(&lock));
}
END_TEST

/* Two counters that only the holder may touch, and which it shortly leaves unequal. */
struct shared {
    struct lock lock;
    uint64_t first;
    uint64_t second;
    uint64_t torn;
};

static void count_under_lock(int index, void *context)
{
    struct shared *shared = context;
    for (int i = 0; i < ROUNDS; i++) {
        if (index == 0 && i % 8 == 0) {
            if (!lock_try(&shared->lock))
                continue;
        } else {
            lock_take(&shared->lock);
        }
        shared->torn += shared->first != shared->second;
        shared->first++;
        if (i % 64 == 0)
            sched_yield(); /* let the others run into the lock */
        shared->second++;
        lock_release(&shared->lock);
    }
}

START_TEST(one_thread_at_a_time)
{
    struct shared shared = {0};
    threads_run(THREADS, count_under_lock, &shared);
    ck_assert_uint_eq(shared.torn, 0);
    ck_assert_uint_eq(shared.first, shared.second);
    ck_assert_uint_ge(shared.first, (THREADS - 1) * ROUNDS);
    ck_assert(lock_try(&shared.lock));
}
END_TEST

static void hold_long(int index, void *context)
{
    struct shared *shared = context;
    struct timespec pause = {0, 200000};
    (void)index;
    for (int i = 0; i < 50; i++) {
        lock_take(&shared->lock);
        shared->first++;
        nanosleep(&pause,
                  NULL); /* longer than anybody spins: the others sleep, and each must be woken */
        lock_release(&shared->lock);
    }
}

START_TEST(sleepers_are_woken)
{
    struct shared shared = {0};
    threads_run(4, hold_long, &shared);
    ck_assert_uint_eq(shared.first, 200);
    ck_assert(lock_try(&shared.lock));
}
END_TEST

static TCase *lock(void)
{
    TCase *tests = tcase_create("lock");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_lock_is_held_or_free);
    tcase_add_test(tests, one_thread_at_a_time);
    tcase_add_test(tests, sleepers_are_woken);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {lock};
    return suite_run("base/lock", makers, 1);
}
