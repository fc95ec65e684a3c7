/*
 * preload/fault: a program that faults on memory that was taken from it, or lies beside its block, is told so.
 *
 * Told is what was accessed, and by whom; what happens then is the program's business, or the kernel's.
 */
#include "preload/fault.h"

#include "heap/limbo.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "heap/span.h"
#include "os/context.h"

#include <stdatomic.h>
#include <stdbool.h>

/* In a guard page, since it has faulted; of another kind of block the program has made a part inaccessible. */
static bool is_beside(const struct block *block, uintptr_t address)
{
    return span_is_guarded(block->span) && slot_is_allocated(block->state) && address - block->start >= block_usable(block);
}

static bool is_after_free(const struct block *block)
{
    return slot_is_held(block->state) || (span_is_guarded(block->span) && !slot_is_allocated(block->state));
}

/* Once: a handler that returns faults again, for ever. */
void fault_report(const siginfo_t *info, const void *context)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    struct block block;
    if (info->si_code <= 0 || !lookup_block(info->si_addr, &block))
        return;
    bool is_ours = is_beside(&block, (uintptr_t)info->si_addr) || is_after_free(&block);
    if (!is_ours || atomic_flag_test_and_set(&told))
        return;
    void *caller = (void *)os_context_program_counter(context);
    if (slot_is_allocated(block.state))
        misuse_access_beside(info->si_addr, (const void *)block.start, block_usable(&block), caller);
    else
        misuse_access_after_free(info->si_addr, (const void *)block.start,
                                 span_is_guarded(block.span) ? block_usable(&block) : block.size_bytes, caller);
}
