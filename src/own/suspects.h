/* own/suspects: a thread's set of objects that lost a reference, but not the last. */
#ifndef OWN_SUSPECTS_H
#define OWN_SUSPECTS_H

#include "own/pile.h"
#include "own/visits.h"

#include "gcalloc/shared.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suspects {
    void **slots; /* open addressing, NULL is free */
    size_t room;  /* a power of two, or 0 */
    size_t count;
    size_t cursor;    /* where the next one is looked for */
    size_t threshold; /* what the program has set */
    size_t limit;     /* when the thread looks by itself: never below the threshold */
    bool is_running;
    uintptr_t stack_start; /* of the stack it last ran on */
    uintptr_t stack_end;
    gca_cycle_stats stats;
    struct visits visited; /* room for the next trial */
    struct pile black;
};

/* Returns false when memory is short. The object is not in the set. */
bool suspects_add(struct suspects *set, void *object);

/* The object is in the set. */
void suspects_remove(struct suspects *set, void *object);

/* Takes some object out of the set, or returns NULL when it is empty. */
void *suspects_take(struct suspects *set);

void suspects_free(struct suspects *set);

#endif
