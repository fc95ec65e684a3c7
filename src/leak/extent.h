/*
 * leak/extent: what may be loaded of the stack that is walked.
 *
 * Async-signal-safe, without locks.
 */
#ifndef LEAK_EXTENT_H
#define LEAK_EXTENT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum { STACK_WORD_BYTES = 8 };

/*
 * Loads happen in [low, end). On the thread's own stack all of it is known to be readable, and `probed` is 0. On others, which
 * the program has made itself, beyond `probed` each page is tried first.
 */
struct extent {
    uintptr_t low;
    uintptr_t end;
    uintptr_t probed;
};

/* The part of the thread's own stack that is known to be readable, from `low` to its end; both 0 before the first walk. */
struct known_stack {
    uintptr_t low;
    uintptr_t end;
};

extern _Thread_local struct known_stack known_stack __attribute__((tls_model("initial-exec")));

struct extent extent_explore(uintptr_t stack_pointer);
bool extent_probe(struct extent *extent, uintptr_t address);

/* From the stack pointer up. */
static ALWAYS_INLINE struct extent extent_from(uintptr_t stack_pointer)
{
    struct known_stack known = known_stack;
    if (UNLIKELY(stack_pointer - known.low >= known.end - known.low))
        return extent_explore(stack_pointer);
    return (struct extent){stack_pointer, known.end, 0};
}

/* Loads a word of the stack. False when the address is not on it. */
static ALWAYS_INLINE bool extent_load(struct extent *extent, uintptr_t address, uintptr_t *word_out)
{
    if (UNLIKELY(address < extent->low || address > extent->end - STACK_WORD_BYTES || address % STACK_WORD_BYTES != 0))
        return false;
    if (UNLIKELY(extent->probed != 0) && address + STACK_WORD_BYTES > extent->probed && !extent_probe(extent, address))
        return false;
    *word_out = *(const uintptr_t *)address;
    return true;
}

#endif
