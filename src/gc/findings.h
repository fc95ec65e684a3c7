/*
 * gc/findings: blocks that a sweep has found written after they were freed, until a thread of the program's reports them.
 */
#ifndef GC_FINDINGS_H
#define GC_FINDINGS_H

#include "heap/limbo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FINDINGS_MAX = 8 };

struct findings {
    uint32_t count;
    struct finding {
        const void *block;
        size_t size_bytes;
        size_t offset_bytes;
    } list[FINDINGS_MAX];
};

/* Notes one; from the ninth on none. The sweep lock is held. */
void findings_note(const struct limbo_change *change);

/* Whether any are noted; callable at any time. */
bool findings_are_there(void);

/* Takes those that are noted. The sweep lock is held. */
struct findings findings_take(void);

/* Reports them, and aborts if that is wanted. No lock is held; the blocks still are. */
void findings_report(const struct findings *found);

#endif
