/* tools/why: what holds a block, in words. */
#ifndef TOOLS_WHY_H
#define TOOLS_WHY_H

#include "tools/place_text.h"

#include <stdbool.h>
#include <stdint.h>

struct why {
    struct places places;
    bool is_whole; /* every step of a long way */
};

/* Writes to standard output. Returns an exit status. */
int why_answer(struct why *why, uintptr_t address);

#endif
