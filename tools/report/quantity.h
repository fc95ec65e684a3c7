/*
 * tools/report/quantity: amounts as people read them.
 */
#ifndef TOOLS_REPORT_QUANTITY_H
#define TOOLS_REPORT_QUANTITY_H

#include <stdint.h>

enum { QUANTITY_BYTES = 32 };

/* Room for one, so that several fit into one call of printf. */
struct quantity {
    char text[QUANTITY_BYTES];
};

/* "512 bytes", "4.1 MiB" */
struct quantity quantity_bytes(uint64_t bytes);

/* "6,021" */
struct quantity quantity_count(uint64_t count);

/* "40ms", "3s", "41m", "5h", "12d" */
struct quantity quantity_age(uint64_t milliseconds);

/* The same with a sign. */
struct quantity quantity_bytes_change(int64_t bytes);
struct quantity quantity_count_change(int64_t count);

/* "block" or "blocks" */
const char *quantity_blocks(uint64_t count);

#endif
