/*
 * preload/alternate: the alternate stack that a thread gives to the kernel.
 *
 * It may be a block that nothing else points to. The kernel tells the thread alone where it is, so a copy of the address
 * lies in thread-local storage, where a collection finds it.
 */
#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "os/thread.h"
#include "preload/export.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

/* Written only: it is read as a root. */
static _Thread_local void *volatile alternate_stack;

EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
    int result = os_alternate_stack(stack, old);
    if (result != 0) {
        errno = -result;
        return -1;
    }
    if (stack != NULL) {
        alternate_stack = stack->ss_flags & SS_DISABLE ? NULL : stack->ss_sp;
        if (thread_self != NULL) /* as in all threads, when there is a collector */
            roots_stack_made(alternate_stack);
        if (alternate_stack != NULL)
            stop_note_alternate_stack(stack->ss_size);
    }
    return 0;
}
