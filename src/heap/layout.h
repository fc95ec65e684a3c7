/*
 * heap/layout: the reservation, cut into header, unit table, metadata and slots; and how each grows.
 */
#ifndef HEAP_LAYOUT_H
#define HEAP_LAYOUT_H

#include "base/image.h"
#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>

/* The unit bitmaps: bit u speaks of unit u. Guarded by the run lock; they move once, when the heap grows. */
struct unit_maps {
    uint64_t *free;  /* taken by nobody, below image->units_used */
    uint64_t *dirty; /* may hold something else than zeros; means something for taken units too */
    uint64_t *moved; /* pages came by os_move_pages(): the kernel can't merge the mapping until it is renewed */
};

/* Reserves and lays out. Called once. Returns 0 or -ENOMEM. */
int layout_start(void);

/* From here on the heap is the image's: the process's own, or a tool's copy of another one's. It has no unit that can be looked up yet. */
void layout_view(struct image *image);

const struct unit_maps *layout_unit_maps(void);

/*
 * Makes units up to `unit_count`, their descriptors and their bits usable. Grows in chunks. Returns 0 or -ENOMEM.
 * The run lock is held.
 */
int layout_grow_units(size_t unit_count);

/*
 * The program is about to limit its address space: gives back what is reserved but not committed until the process
 * with all of its other mappings fits, and leaves it a quarter of the rest. The run lock and the metadata lock are held.
 */
void layout_fit(size_t limit_bytes);

/* True for addresses where blocks may lie now or later. */
bool layout_owns(const void *address);

/*
 * The parts of the reservation that hold something or will: header, tables, metadata, slots. Between them are guards, and
 * what layout_fit() gave back, which may be the program's by now. Returns how many there are, at most LAYOUT_AREAS.
 */
struct layout_area {
    uintptr_t start;
    uintptr_t end;
};

enum { LAYOUT_AREAS = 7 };

size_t layout_areas(struct layout_area areas_out[LAYOUT_AREAS]);

/* Makes metadata up to the offset usable. Returns 0 or -ENOMEM. The metadata lock is held. */
int layout_grow_metadata(size_t used_bytes);

#endif
