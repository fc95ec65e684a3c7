/*
 * preload/fault: a program that faults on memory the quarantine has taken from it is told so.
 *
 * Told is what was accessed, and by whom; what happens then is the program's business, or the kernel's.
 */
#include "preload/fault.h"

#include "gc/quarantine.h"
#include "heap/limbo.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "os/context.h"

#include <stdatomic.h>

/* Once: a handler that returns faults again, for ever. */
void fault_report(const siginfo_t *info, const void *context)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    struct block block;
    if (info->si_code <= 0 || !quarantine_active() || !lookup_block(info->si_addr, &block) ||
        !slot_is_held(block.state) || atomic_flag_test_and_set(&told))
        return;
    misuse_access_after_free(info->si_addr, (const void *)block.start, block.size_bytes,
                             (void *)os_context_program_counter(context));
}
