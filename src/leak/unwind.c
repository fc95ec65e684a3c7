/*
 * leak/unwind: from frame to frame.
 *
 * Uses os. Locks: none.
 */
#include "leak/unwind.h"

#include "base/compiler.h"
#include "leak/extent.h"
#include "leak/rules.h"
#include "leak/step.h"

#include <stdbool.h>

enum { ADDRESS_MIN = 4096 };

/* Into what a signal has interrupted, which may be on another stack. */
COLD static bool step_over_signal(struct os_registers *at, struct extent *extent)
{
    uintptr_t last;
    uintptr_t context = at->stack_pointer;
    if (!extent_load(extent, context, &last) ||
        !extent_load(extent, context + os_registers_context_bytes() - STACK_WORD_BYTES, &last))
        return false;
    *at = os_registers_of_context((const void *)context);
    *extent = extent_from(at->stack_pointer);
    return true;
}

uint32_t unwind_stack(const struct os_registers *from, uintptr_t skip_start, uintptr_t skip_end,
                      uint64_t *frames_out, uint32_t limit, uint32_t now_ms)
{
    struct os_registers at = *from;
    struct extent extent = extent_from(at.stack_pointer);
    uint32_t count = 0;
    bool skipping = true;
    bool is_exact = true; /* the address is the next instruction, not where a call returns to */
    do {
        uintptr_t address = at.program_counter - !is_exact;
        if (address < ADDRESS_MIN)
            break;
        struct rule rule = rules_find(address, now_ms);
        skipping = skipping && address - skip_start < skip_end - skip_start;
        if (!skipping)
            frames_out[count++] = step_frame_word(address, rule);
        is_exact = rule_kind(rule) == RULE_SIGNAL;
        if (count == limit || rule_kind(rule) == RULE_STOP ||
            (is_exact ? !step_over_signal(&at, &extent) : !step_any(&at, rule, &extent)))
            break;
    } while (true);
    return count;
}
