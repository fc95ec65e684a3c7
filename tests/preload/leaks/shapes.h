/*
 * leaks/shapes: what a program may lose: blocks that all hang under one pointer.
 */
#ifndef TESTS_LEAKS_SHAPES_H
#define TESTS_LEAKS_SHAPES_H

#include <stddef.h>

struct shape {
    const char *name;
    void *(*make)(void);
    size_t heads;    /* blocks that are definitely lost with the pointer */
    size_t indirect; /* and those under them */
    size_t inner;    /* of these, how many are held by addresses inside of them only */
};

extern const struct shape shapes[];
extern const size_t shape_count;

const struct shape *shape_find(const char *name);

#endif
