/*
 * gc/threads: a record for each thread that gcalloc has met.
 *
 * A record says where the thread's normal stack lies and whether the thread is in a safe region (gc/region.h). Threads
 * without one are found when they are to be stopped, all the same: the kernel's list of threads counts, not this one.
 *
 * A record outlives its thread until a stop has not found it any more. That does no harm: a thread that has ended was in no
 * region.
 *
 * Uses os, base. Locks: none.
 */
#ifndef GC_THREADS_H
#define GC_THREADS_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THREADS_MAX = 32768 };

struct thread_record {
    /* 0 when the thread is in no region, else its stack pointer there. Written by the thread, read after a barrier. */
    _Atomic uintptr_t region_stack_pointer;
    _Atomic int32_t thread_id; /* 0: the record is free */
    _Atomic bool
        shares_memory;     /* the thread has called vfork: what looks like it may be its child */
    uintptr_t stack_start; /* normal stack; 0 if unknown */
    uintptr_t stack_end;
    uint64_t handled_count;      /* how often a handler of the program's has run; its own thread's */
    uint64_t unused[3];
};

_Static_assert(sizeof(struct thread_record) == CACHE_LINE_BYTES, "no two threads share a line");

/* The calling thread's record, or NULL. A thread made by a bare clone may share its parent's. */
extern _Thread_local struct thread_record *thread_self __attribute__((tls_model("initial-exec")));

/* By the main thread, at first; later calls find it done. Makes room and registers the caller. Returns 0 or -errno. */
int threads_start(void);

/* True in the process that called threads_start() and in children of its forks; false in the child of a vfork. */
bool threads_is_own_process(void);
int threads_process_id(void);

/*
 * Registers the calling thread; the bounds of its stack are 0 if unknown. Returns its record, or NULL without
 * memory. May be called in a signal handler.
 */
struct thread_record *thread_register(uintptr_t stack_start, uintptr_t stack_end);

/* The calling thread ends. */
void thread_unregister(void);

/* Calls visit for each record in use. */
void threads_each(void (*visit)(struct thread_record *record, void *context), void *context);

#endif
