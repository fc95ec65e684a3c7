/* os/thread: who runs, waiting, and time. Nothing here locks or allocates. */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <limits.h>
#include <stdint.h>

/*
 * How many rounds of destructors of thread-specific data a thread's exit has that we may run in. ThreadSanitizer ends
 * its own share of a thread in the last one.
 */
#ifdef __SANITIZE_THREAD__
enum { OS_DESTRUCTOR_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS - 1 };
#else
enum { OS_DESTRUCTOR_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS };
#endif

/* The kernel's id of the calling thread, and of its process. */
int os_thread_id(void);
int os_process_id(void);

/* True while the process has one thread, as libc knows it; false also where it can't say. */
extern char __libc_single_threaded __attribute__((weak));

static inline _Bool os_is_single_threaded(void)
{
    return &__libc_single_threaded != 0 && __libc_single_threaded != 0;
}

/* Set before the first thread of ours begins, which libc does not know. */
extern char os_has_helpers;

/* True while nobody else runs, not even a thread of ours. */
static inline _Bool os_is_alone(void)
{
    return os_is_single_threaded() && os_has_helpers == 0;
}

/* Sleeps while *word is `expected`; may return early for no reason. Private to this process. */
void os_futex_wait(const uint32_t *word, uint32_t expected);

/* The same, but no longer than timeout_ns. Returns false when the time was up. */
_Bool os_futex_wait_for(const uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/* Wakes up to `count` sleepers on the word. */
void os_futex_wake(const uint32_t *word, int count);

/*
 * Lets every running thread of the process pass a full memory barrier: what it stored before is visible, what it loads
 * afterwards is fresh. To be made ready once, and again in the child of a fork. Both return 0 or -errno.
 */
int os_barrier_prepare(void);
int os_barrier_all(void);

/* sigaltstack(2), on the C library's stack_t. Returns 0 or -errno. */
int os_alternate_stack(const void *stack, void *old_out);

/* Nanoseconds since some fixed moment, never going back. */
uint64_t os_clock_ns(void);

/* The same to a few milliseconds, for a few nanoseconds' work. */
uint64_t os_clock_coarse_ns(void);

/* The processor's time that the calling thread, and all threads together, have had. */
uint64_t os_thread_work_ns(void);
uint64_t os_process_work_ns(void);

/* How many processors the calling thread may run on; at least 1. */
unsigned os_processors(void);

/* Ends the process with SIGABRT. A handler of the program's runs first; it does not save it. */
_Noreturn void os_abort(void);

#endif
