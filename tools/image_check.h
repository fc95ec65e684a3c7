/*
 * tools/image_check: makes a copied image safe for the library's own code.
 *
 * That code trusts its tables. Those of another process may be torn (a thread was changing them), overwritten by a wild
 * program, or made up. So whatever a pointer or a number leads to is checked here, once, and what makes no sense is taken
 * out of the copy: a unit without a sound span counts as free.
 */
#ifndef TOOLS_IMAGE_CHECK_H
#define TOOLS_IMAGE_CHECK_H

#include "tools/heap_copy.h"

struct image_check {
    size_t damaged_units; /* that named a span which makes no sense */
    bool leak_is_damaged; /* the tables of call stacks, which are left out then */
};

/* Returns 0 or -ENOMEM. Afterwards only the copy's descriptors, spans, states, columns and leak tables may be followed. */
int image_check(struct heap_copy *copy, struct image_check *check_out);

#endif
