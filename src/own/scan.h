/*
 * own/scan: every word of the process that may be a pointer into the heap, with the place where it is.
 */
#ifndef OWN_SCAN_H
#define OWN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_where { SCAN_BLOCK, SCAN_ARENA, SCAN_POOL, SCAN_STACK, SCAN_ROOT };

struct scan_place {
    enum scan_where where;
    const void *holder; /* the block, chunk or pool object; for stacks and roots the word itself */
    size_t offset;      /* of the word in it */
    int32_t thread_id;  /* whose stack; 0 if not known */
};

/* Called for each word whose value lies in [low, high), at multiples of 8, while all other threads are stopped. */
typedef void scan_found(const struct scan_place *place, uintptr_t value, void *context);

struct scan {
    scan_found *found;
    void *context;
    uintptr_t low;
    uintptr_t high;
    void (*finish)(void *context); /* threads are still stopped; or NULL */
};

/* At the start, before there are other threads: so that they can be stopped later. Returns 0 or -errno. */
int scan_start(void);

/*
 * Returns 0; or -errno, and some may not have been found: -EOPNOTSUPP when there are other threads and scan_start() was not called,
 * -EAGAIN when one could not be stopped, and what the kernel said when some memory could not be read.
 */
int scan_all(const struct scan *scan);

#endif
