/*
 * tools/examine: makes the library's own code work on a snapshot: its heap becomes the heap of this process, and its
 * roots are those that the marker is fed.
 */
#ifndef TOOLS_EXAMINE_H
#define TOOLS_EXAMINE_H

#include "gc/roots.h"
#include "tools/snapshot.h"

#include <stdbool.h>

/* Where a root was found. */
enum root_kind { ROOT_MEMORY, ROOT_REGISTER, ROOT_STACK_POINTER, ROOT_EPOLL, ROOT_TIMER, ROOT_PINNED, ROOT_MANGLED };

struct root_place {
    enum root_kind kind;
    uintptr_t address; /* of ROOT_MEMORY: where the first byte lies in the target; 0 otherwise */
    size_t thread;     /* index; of registers */
    int number;        /* of a descriptor or a timer */
};

/* From now on, one snapshot at a time. Returns 0 or -ENOMEM. Adds to the snapshot's notes what was damaged. */
int examine_begin(struct snapshot *snapshot);
void examine_end(void);

/* Where the range that roots_scan() is feeding just now was found. */
struct root_place examine_place(const void *start);

/* Memory below a stack pointer that is dead. */
bool examine_is_dead(uintptr_t address);

#endif
