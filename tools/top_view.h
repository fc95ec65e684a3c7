/* tools/top_view: what `gcalloc top` shows, as text. */
#ifndef TOOLS_TOP_VIEW_H
#define TOOLS_TOP_VIEW_H

#include "gc/history.h"
#include "heap/statistics.h"

#include <gcalloc/heap.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TOP_CLASSES_MAX = 256 };

/* One look at the heap. */
struct top_sample {
    bool taken;
    double time_s; /* any monotonic clock */
    uint64_t resident_bytes;
    gca_heap_stats heap;
    gca_class_stats classes[TOP_CLASSES_MAX];
    size_t class_count;
    struct statistics_held held; /* all zero in one without the option quarantine */
    struct history gc; /* all zero in a program without the option gc */
};

enum top_order { TOP_BY_MEMORY, TOP_BY_BLOCKS, TOP_BY_CHANGE, TOP_BY_SIZE, TOP_ORDERS };

/* The names of the orders, as --sort takes them. */
extern const char *const top_order_names[TOP_ORDERS];

struct top_view {
    const char *program;
    int process_id;
    enum top_order order;
    bool colour;
};

/* Prints a sample; what has changed since `before`, unless that was not taken. */
void top_view_print(FILE *stream, const struct top_view *view, const struct top_sample *now,
                    const struct top_sample *before);

#endif
