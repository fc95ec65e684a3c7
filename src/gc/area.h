/*
 * gc/area: memory of the collector's own, beside the heap's reservation: mark bytes and worklists.
 *
 * It is full of addresses of blocks, old ones too, so it is hidden from the scan of the roots.
 * Locks: none; the collecting thread alone comes here.
 */
#ifndef GC_AREA_H
#define GC_AREA_H

#include <stdbool.h>
#include <stddef.h>

struct area {
    char *start;
    size_t size_bytes;
    bool is_random; /* set by its user: every access may be to another page, so huge ones help */
};

/*
 * Makes the area at least so large; what it held is lost when it has to grow. Returns 0 or -ENOMEM, and then it has no
 * memory.
 */
int area_need(struct area *area, size_t size_bytes);

/* Returns the pages behind the first kept_bytes to the kernel. */
void area_trim(struct area *area, size_t kept_bytes);

#endif
