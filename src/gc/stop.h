/*
 * gc/stop: stops all other threads of the process, and lets them go on, without a trace.
 *
 * Threads in safe regions (gc/region.h) are left alone; they wait when they come out. The others get a signal that libc
 * keeps from programs, and wait in its handler. What the signal interrupted is made again.
 *
 * Uses os, base. Locks: a lock of its own, which a stop holds from begin to end.
 */
#ifndef GC_STOP_H
#define GC_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a thread must not block that is to be stopped. */
enum { STOP_SIGNAL = 33 };

struct stopped {
    int32_t thread_id;
    bool is_region;
    /*
     * What the thread uses of the stack it was on lies above. Its registers do too, or else, when the signal was
     * taken on an alternate stack, between registers_start and registers_end; both are 0 otherwise.
     */
    uintptr_t stack_pointer;
    uintptr_t registers_start;
    uintptr_t registers_end;
    /* Its normal stack, 0 if unknown. The main thread's may have grown below the start since. */
    uintptr_t stack_start;
    uintptr_t stack_end;
};

/* By the main thread, at first; later calls find it done. Starts gc/threads. Returns 0 or -errno: then nothing is ever stopped. */
int stop_start(void);

/*
 * Stops everybody else. Returns 0; or -errno, and nobody is stopped: -EAGAIN when a thread did not answer in time (traced,
 * in vfork, blocking all signals) or another stop is under way. Signals are blocked for the caller until stop_end(). Who
 * may wait for heap locks is stopped while waiting, so the caller takes them before.
 */
int stop_begin(void);
void stop_end(void);

/*
 * The threads stopped, valid until stop_end(). The caller is among them; its stack pointer is that of stop_begin(), and its
 * registers are on its stack if stop_begin() was called below stop_spill().
 */
size_t stop_count(void);
const struct stopped *stop_threads(void);

/*
 * Whether all threads that the last stop has held have come out of it. One that gets no processor holds our signal still, as one does
 * that never answers: who stops again and again lets them run before.
 */
bool stop_is_left(void);

/* Calls the function with the caller's registers written to the stack. */
void stop_spill(void (*function)(void *context), void *context);

/* For gc/region: the number of stops begun and ended. Odd while one is under way; who may not run waits for its end. */
extern _Atomic uint32_t stop_epoch;

static inline bool stop_is_under_way(void)
{
    return (atomic_load_explicit(&stop_epoch, memory_order_acquire) & 1) != 0;
}

void stop_wait(void);

/* Around exec: nobody stops anybody, and no signal of ours is on its way to the caller. */
void stop_forbid(void);
void stop_allow(void);

/* The same for good, children of fork included, until it is taken back. A stop makes no system call any more. */
void stop_give_up(void);
void stop_take_up(void);

/* A thread has set up an alternate stack of this size. Where our signal needs more, no thread takes it on such a stack. */
void stop_note_alternate_stack(size_t size_bytes);

#endif
