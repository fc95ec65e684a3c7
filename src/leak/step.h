/*
 * leak/step: from a frame to its caller's, by its rule. Only src/leak/ includes this.
 */
#ifndef LEAK_STEP_H
#define LEAK_STEP_H

#include "base/compiler.h"
#include "leak/extent.h"
#include "leak/rule.h"
#include "leak/tables.h"
#include "os/registers.h"

#define FRAME_ADDRESS_MASK ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)

/* Where it was saved. `frame` is the frame address. */
static ALWAYS_INLINE uintptr_t step_slot(uint64_t saved, uintptr_t frame, uintptr_t frame_pointer)
{
    return saved < SAVED_BY_FRAME ? frame - saved * STACK_WORD_BYTES
                                  : frame_pointer - (saved - SAVED_BY_FRAME) * STACK_WORD_BYTES;
}

/* A register as the caller had it. */
static ALWAYS_INLINE bool step_restore(struct extent *extent, uint64_t saved, uintptr_t frame, uintptr_t frame_pointer,
                                       uintptr_t *word_inout)
{
    return saved == SAVED_NOWHERE || extent_load(extent, step_slot(saved, frame, frame_pointer), word_inout);
}

static inline uintptr_t step_frame(const struct os_registers *at, struct rule rule)
{
    uintptr_t distance = (uintptr_t)(rule_frame_words(rule) * STACK_WORD_BYTES);
    if (rule_register(rule) == RULE_STACK_POINTER)
        return at->stack_pointer + distance;
    return (rule_register(rule) == RULE_FRAME_POINTER ? at->frame_pointer : at->base) + distance;
}

/* Of a plain or an indirect rule. False where it leads nowhere: *at is as it was then. */
static inline bool step_any(struct os_registers *at, struct rule rule, struct extent *extent)
{
    uintptr_t frame = step_frame(at, rule);
    if (rule_kind(rule) == RULE_INDIRECT && !extent_load(extent, frame, &frame))
        return false;
    struct os_registers next = {.stack_pointer = frame, .frame_pointer = at->frame_pointer, .base = at->base};
    if (frame <= at->stack_pointer || !extent_load(extent, frame - STACK_WORD_BYTES, &next.program_counter) ||
        !step_restore(extent, rule_frame_pointer_saved(rule), frame, at->frame_pointer, &next.frame_pointer) ||
        !step_restore(extent, rule_base_saved(rule), frame, at->frame_pointer, &next.base))
        return false;
    next.program_counter = os_code_address(next.program_counter);
    *at = next;
    return true;
}

/*
 * The same of a simple rule, on the thread's own stack, up to its end; quickly: what comes next waits for it. The stack pointer
 * is a multiple of a word's size, as all steps leave it.
 */
static ALWAYS_INLINE bool step_simple(struct os_registers *at, struct rule rule, uintptr_t low, uintptr_t end)
{
    uintptr_t frame = at->stack_pointer + (uintptr_t)(rule_frame_words(rule) * STACK_WORD_BYTES);
    uint64_t frame_pointer_saved = rule_frame_pointer_saved(rule);
    uint64_t base_saved = rule_base_saved(rule);
    uint64_t deepest = (frame_pointer_saved > base_saved ? frame_pointer_saved : base_saved) * STACK_WORD_BYTES;
    if (UNLIKELY(frame <= at->stack_pointer) || UNLIKELY(frame > end) || UNLIKELY(frame - low < deepest))
        return false;
    at->program_counter = *(const uintptr_t *)(frame - STACK_WORD_BYTES);
    if (frame_pointer_saved != SAVED_NOWHERE)
        at->frame_pointer = *(const uintptr_t *)(frame - frame_pointer_saved * STACK_WORD_BYTES);
    if (base_saved != SAVED_NOWHERE)
        at->base = *(const uintptr_t *)(frame - base_saved * STACK_WORD_BYTES);
    at->stack_pointer = frame;
    return true;
}

/* As struct stack has it. */
static ALWAYS_INLINE uint64_t step_frame_word(uintptr_t address, struct rule rule)
{
    return (address & FRAME_ADDRESS_MASK) | rule_module(rule) << FRAME_MODULE_SHIFT;
}

#endif
