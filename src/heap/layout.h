/*
 * heap/layout: the reservation, cut into header, unit table, metadata and slots; and how each grows.
 */
#ifndef HEAP_LAYOUT_H
#define HEAP_LAYOUT_H

#include "base/image.h"
#include "heap/unit.h"

/* The unit bitmaps, in the header area: bit u speaks of unit u. Guarded by the run lock. */
struct unit_maps {
    uint64_t *free;  /* taken by nobody, below image->units_used */
    uint64_t *dirty; /* may hold something else than zeros; means something for taken units too */
    uint64_t *moved; /* pages came by os_move_pages(): the kernel can't merge the mapping until it is renewed */
};

/* Reserves and lays out. Called once. Returns 0 or -ENOMEM. */
int layout_start(void);

const struct unit_maps *layout_unit_maps(void);

/*
 * Makes units up to `unit_count`, their descriptors and their bits usable. Grows in chunks. Returns 0 or -ENOMEM.
 * The run lock is held.
 */
int layout_grow_units(size_t unit_count);

/* Makes metadata up to the offset usable. Returns 0 or -ENOMEM. The metadata lock is held. */
int layout_grow_metadata(size_t used_bytes);

#endif
