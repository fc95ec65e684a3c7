/*
 * leak/rule: how to get from a frame to its caller's, in one word.
 *
 * What the tables of an object say of one address, cut down to what unwinding needs: where the canonical frame
 * address is (the stack pointer before the call), and where the caller's frame pointer and base register were saved.
 * The return address lies right below the canonical frame address.
 */
#ifndef LEAK_RULE_H
#define LEAK_RULE_H

#include <stdint.h>
#include <string.h>

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

struct rule {
    uint64_t kind : 3;
    uint64_t frame_register : 2;
    uint64_t frame_pointer_saved : 10;
    uint64_t base_saved : 10;
    uint64_t
        module : 16; /* number of the module the address lies in, 0 if in none: see leak/modules.h */
    uint64_t unused : 3;
    uint64_t frame_words : 20; /* in two's complement; on top, where a single shift unpacks it */
};

_Static_assert(sizeof(struct rule) == sizeof(uint64_t), "stored and compared as one word");

static inline int64_t rule_frame_words(struct rule rule)
{
    uint64_t word;
    memcpy(&word, &rule, sizeof word);
    return (int64_t)word >> 44;
}

static inline struct rule rule_make(enum rule_kind kind, enum rule_register frame_register,
                                    int64_t frame_words)
{
    struct rule rule = {.kind = kind & 7, .frame_register = frame_register & 3};
    rule.frame_words = (uint64_t)frame_words & (2 * RULE_WORDS_LIMIT - 1);
    return rule;
}

#endif
