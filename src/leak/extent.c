/*
 * leak/extent: finds out where the calling thread's stack ends.
 *
 * Uses os. Locks: none.
 */
#include "leak/extent.h"

#include "os/peek.h"
#include "os/registers.h"

enum { PAGE_BYTES = 4096 };

/* Everybody's stacks are smaller than that, and between a main stack and other mappings the kernel leaves more. */
#define MAIN_STACK_BYTES ((uintptr_t)64 << 20)
#define THREAD_STACK_STEP_BYTES ((uintptr_t)1 << 20)

_Thread_local struct known_stack known_stack __attribute__((tls_model("initial-exec")));

/*
 * Where the thread's own stack ends: above the stack pointer, the thread's control block or the place where the
 * kernel put the main thread. 0 when the stack pointer is on neither's, as far as can be told from here.
 */
static uintptr_t own_stack_end(uintptr_t stack_pointer)
{
    uintptr_t main_end = os_main_stack_end();
    if (main_end - stack_pointer < MAIN_STACK_BYTES)
        return main_end;
    uintptr_t control_block = os_thread_pointer();
    return control_block - stack_pointer < THREAD_STACK_STEP_BYTES ? control_block : 0;
}

/* On a stack the program made itself, all pages but the first are tried on every walk. */
COLD struct extent extent_explore(uintptr_t stack_pointer)
{
    struct known_stack known = known_stack;
    uintptr_t low = stack_pointer;
    uintptr_t page = low & ~(uintptr_t)(PAGE_BYTES - 1);
    uintptr_t up_to = known.low <= low || known.low - low > THREAD_STACK_STEP_BYTES ? 0 : known.low;
    uintptr_t end = known.end;
    if (up_to == 0)
        end = up_to = own_stack_end(low);
    bool is_main = end != 0 && end == os_main_stack_end() && end - low < MAIN_STACK_BYTES;
    if (up_to != 0 && (is_main || os_is_readable(page, up_to))) {
        known_stack = (struct known_stack){page, end};
        return (struct extent){low, end, 0};
    }
    return (struct extent){low, UINTPTR_MAX - PAGE_BYTES, page + PAGE_BYTES};
}

COLD bool extent_probe(struct extent *extent, uintptr_t address)
{
    uintptr_t end = address + STACK_WORD_BYTES;
    if (end - extent->probed > THREAD_STACK_STEP_BYTES || !os_is_readable(extent->probed, end))
        return false;
    extent->probed = (end + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
    return true;
}
