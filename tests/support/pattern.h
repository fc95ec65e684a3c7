/*
 * support/pattern: bytes that depend on their place and on a seed, so that a block that was moved,
 * cut, mixed up with another or cleared is noticed.
 */
#ifndef TESTS_SUPPORT_PATTERN_H
#define TESTS_SUPPORT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

void pattern_fill(void *block, size_t size_bytes, unsigned seed);

/* Checks the first size_bytes of what pattern_fill(block, at least size_bytes, seed) wrote. */
bool pattern_holds(const void *block, size_t size_bytes, unsigned seed);

bool all_zero(const void *block, size_t size_bytes);

#endif
