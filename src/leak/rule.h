/*
 * leak/rule: how to get from a frame to its caller's, in one word.
 *
 * What the tables of an object say of one address, cut down to what unwinding needs: where the canonical frame
 * address is (the stack pointer before the call), and where the caller's frame pointer and base register were saved.
 * The return address lies right below the canonical frame address.
 */
#ifndef LEAK_RULE_H
#define LEAK_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum rule_kind {
    RULE_NONE = 0, /* not known yet */
    RULE_STOP,     /* the outermost frame, or one that can't be left */
    RULE_PLAIN,    /* the frame address is register + words */
    RULE_INDIRECT, /* it is stored at register + words */
    RULE_SIGNAL,   /* the kernel's frame: all registers lie in the context at the stack pointer */
};

enum rule_register { RULE_STACK_POINTER, RULE_FRAME_POINTER, RULE_BASE };

/*
 * Where a register was saved: 0, it still is in the register; below SAVED_BY_FRAME, so many words below the frame
 * address; else, what exceeds that, so many words below where the frame pointer points.
 */
enum { SAVED_NOWHERE = 0, SAVED_BY_FRAME = 512, SAVED_LIMIT = 1024, RULE_WORDS_LIMIT = 1 << 19 };

/*
 * From the lowest bit: kind 3, frame register 2, where the frame pointer was saved 10, and the base register 10, the number of
 * the module the address lies in 16 (0 if in none: see leak/modules.h), nothing 3, words 20. A word and no bit fields, since
 * each allocation reads some of these.
 */
struct rule {
    uint64_t word;
};

enum {
    RULE_KIND_MASK = 7,
    RULE_REGISTER_SHIFT = 3,
    RULE_REGISTER_MASK = 3,
    RULE_FRAME_POINTER_SHIFT = 5,
    RULE_BASE_SHIFT = 15,
    RULE_SAVED_MASK = SAVED_LIMIT - 1,
    RULE_MODULE_SHIFT = 25,
    RULE_MODULE_MASK = 0xffff,
    RULE_WORDS_SHIFT = 44,
};

static inline enum rule_kind rule_kind(struct rule rule)
{
    return (enum rule_kind)(rule.word & RULE_KIND_MASK);
}

static inline enum rule_register rule_register(struct rule rule)
{
    return (enum rule_register)(rule.word >> RULE_REGISTER_SHIFT & RULE_REGISTER_MASK);
}

static inline uint64_t rule_frame_pointer_saved(struct rule rule)
{
    return rule.word >> RULE_FRAME_POINTER_SHIFT & RULE_SAVED_MASK;
}

static inline uint64_t rule_base_saved(struct rule rule)
{
    return rule.word >> RULE_BASE_SHIFT & RULE_SAVED_MASK;
}

static inline uint64_t rule_module(struct rule rule)
{
    return rule.word >> RULE_MODULE_SHIFT & RULE_MODULE_MASK;
}

/* In two's complement; on top, where a single shift unpacks it. */
static inline int64_t rule_frame_words(struct rule rule)
{
    return (int64_t)rule.word >> RULE_WORDS_SHIFT;
}

/* Plain, by the stack pointer, and what is saved is saved by the frame address: as nearly all code has it. */
static inline bool rule_is_simple(struct rule rule)
{
    const uint64_t others = RULE_KIND_MASK | RULE_REGISTER_MASK << RULE_REGISTER_SHIFT |
                            (uint64_t)SAVED_BY_FRAME << RULE_FRAME_POINTER_SHIFT | (uint64_t)SAVED_BY_FRAME << RULE_BASE_SHIFT;
    return (rule.word & others) == RULE_PLAIN;
}

static inline struct rule rule_of_kind(enum rule_kind kind)
{
    return (struct rule){kind};
}

static inline struct rule rule_make(enum rule_kind kind, enum rule_register frame_register, int64_t frame_words,
                                    uint64_t frame_pointer_saved, uint64_t base_saved)
{
    return (struct rule){kind | (uint64_t)frame_register << RULE_REGISTER_SHIFT |
                         frame_pointer_saved << RULE_FRAME_POINTER_SHIFT | base_saved << RULE_BASE_SHIFT |
                         (uint64_t)frame_words << RULE_WORDS_SHIFT};
}

static inline struct rule rule_in_module(struct rule rule, uint32_t module)
{
    return (struct rule){rule.word | (uint64_t)(module & RULE_MODULE_MASK) << RULE_MODULE_SHIFT};
}

#endif
