/*
 * heap/statistics: what the heap holds, counted from the tables when asked.
 *
 * Nothing is counted while the program runs. The functions read only what the image leads to and check every pointer
 * against its bounds, so a tool may call them on a copy that was torn while it was taken.
 */
#ifndef HEAP_STATISTICS_H
#define HEAP_STATISTICS_H

#include "gcalloc/heap.h"

#include <stddef.h>
#include <stdint.h>

struct image;

/* Fills *stats_out. Returns 0, or -EINVAL when the image is none of ours. In the process itself: run lock held. */
int statistics_collect(const struct image *image, gca_heap_stats *stats_out);

/* Fills up to row_count rows, smallest class first. Returns the number of classes. As above. */
size_t statistics_collect_classes(const struct image *image, gca_class_stats *rows, size_t row_count);

/* What was freed and is held, with the option quarantine. */
struct statistics_held {
    uint64_t blocks;
    uint64_t bytes; /* of their slots; part of free_slot_bytes */
};

/* All zero where nothing is. As above. */
void statistics_collect_held(const struct image *image, struct statistics_held *held_out);

#endif
