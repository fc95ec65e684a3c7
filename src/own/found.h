/* own/found: words that a scan has found, in memory that no scan reads. One list in the process; who takes it has it alone. */
#ifndef OWN_FOUND_H
#define OWN_FOUND_H

#include "own/scan.h"

#include "gcalloc/audit.h"

enum { FOUND_MAX = 1000 };

struct found_item {
    struct scan_place place;
    uintptr_t value;
};

struct found {
    size_t count; /* may be more than there are items */
    size_t capacity;
};

struct found *found_take(void);
void found_put(struct found *found);

/* During a scan; what there is no room for is counted. */
void found_add(struct found *found, const struct scan_place *place, uintptr_t value);

struct found_item *found_items(const struct found *found);
size_t found_told(const struct found *found);

gca_pointer found_pointer(const struct found_item *item);

#endif
