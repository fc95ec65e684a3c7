/*
 * gc/region: safe regions, calls during which a thread need not be stopped.
 *
 * Locks: none.
 */
#include "gc/region.h"

#include "base/compiler.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "os/context.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <stddef.h>
#include <unwind.h>

bool region_is_on;

/*
 * The child of a vfork, and threads that a bare clone made, have their parent's thread-local variables. Who runs on the
 * stack that the record names is its thread; anybody else is asked.
 */
static inline struct thread_record *own_record(uintptr_t stack_pointer)
{
    struct thread_record *record = thread_self;
    if (record == NULL)
        return NULL;
    bool on_own_stack =
        stack_pointer - record->stack_start < record->stack_end - record->stack_start;
    if (LIKELY(on_own_stack && !record->shares_memory))
        return record;
    return os_thread_id() == record->thread_id ? record : NULL;
}

/* The compiler may not move the store behind the load; the machine may: see the head of region.h. */
static inline void publish(struct thread_record *record, uintptr_t stack_pointer)
{
    atomic_store_explicit(&record->region_stack_pointer, stack_pointer, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void enter(struct thread_record *record, uintptr_t stack_pointer)
{
    publish(record, stack_pointer);
    while (UNLIKELY(stop_is_under_way()))
        stop_wait();
}

static inline void leave(struct thread_record *record, uintptr_t stack_pointer)
{
    publish(record, 0);
    while (UNLIKELY(stop_is_under_way())) {
        publish(record, stack_pointer);
        stop_wait();
        publish(record, 0);
    }
}

bool region_is_possible(void)
{
    struct thread_record *record = own_record(os_stack_pointer());
    return record != NULL && record->region_stack_pointer == 0;
}

uint64_t region_handled_count(void)
{
    return thread_self->handled_count;
}

uintptr_t region_suspend(void)
{
    struct thread_record *record = own_record(os_stack_pointer());
    uintptr_t stack_pointer = record != NULL ? record->region_stack_pointer : 0;
    if (record != NULL)
        record->handled_count++;
    if (stack_pointer != 0)
        leave(record, stack_pointer);
    return stack_pointer;
}

void region_resume(uintptr_t suspended)
{
    if (suspended != 0)
        enter(thread_self, suspended);
}

/* Called by the unwinder when it passes the frame of region_call(). */
__attribute__((used)) _Unwind_Reason_Code region_personality(int version, _Unwind_Action actions,
                                                             _Unwind_Exception_Class class,
                                                             struct _Unwind_Exception *exception,
                                                             struct _Unwind_Context *context);

_Unwind_Reason_Code region_personality(int version, _Unwind_Action actions,
                                       _Unwind_Exception_Class class,
                                       struct _Unwind_Exception *exception,
                                       struct _Unwind_Context *context)
{
    (void)version, (void)class, (void)exception, (void)context;
    if ((actions & _UA_CLEANUP_PHASE) != 0)
        region_suspend();
    return _URC_CONTINUE_UNWIND;
}

NOINLINE long region_call(region_function *function, long a, long b, long c, long d, long e, long f, long g)
{
    /* The encoding is: relative to here, 4 bytes. */
    __asm__ volatile(".cfi_personality 0x1b, region_personality");
    volatile long held[REGION_ARGUMENTS]; /* perhaps nothing else points to these blocks any more */
    held[0] = a, held[1] = b, held[2] = c, held[3] = d, held[4] = e, held[5] = f, held[6] = g;
    __builtin_unwind_init();
    uintptr_t stack_pointer = os_stack_pointer();
    struct thread_record *record = own_record(stack_pointer);
    if (record == NULL || record->region_stack_pointer != 0)
        return function(a, b, c, d, e, f, g);
    enter(record, stack_pointer);
    long result = function(a, b, c, d, e, f, g);
    leave(record, stack_pointer);
    (void)held[0];
    return result;
}
