/*
 * base/bytes: a bit for each of up to 64 bytes, as tables with a byte by slot are read.
 *
 * All 64 are read, however few count: such tables have room for as many behind the last slot's byte.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/bits.h"
#include "os/match.h"

#include <stddef.h>
#include <stdint.h>

enum { BYTES_AT_ONCE = 16 };

static inline uint64_t bytes_first(uint64_t bits, size_t count)
{
    return count >= WORD_BITS ? bits : bits & word_mask(0, (uint32_t)count);
}

/* Those that have one of the bits in `any`. */
static inline uint64_t bytes_with(const uint8_t *bytes, size_t count, uint8_t any)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < WORD_BITS; i += BYTES_AT_ONCE)
        bits |= (uint64_t)os_bytes_with_16(bytes + i, any) << i;
    return bytes_first(bits, count);
}

/* Those that equal the value. */
static inline uint64_t bytes_equal(const uint8_t *bytes, size_t count, uint8_t value)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < WORD_BITS; i += BYTES_AT_ONCE)
        bits |= (uint64_t)os_bytes_equal_16(bytes + i, value) << i;
    return bytes_first(bits, count);
}

#endif
