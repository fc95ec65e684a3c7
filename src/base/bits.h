/* base/bits: bitmaps of 64-bit words, and arithmetic on powers of two. Nothing here is atomic. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORD_BITS = 64 };

static inline uint32_t bit_lowest(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

static inline uint32_t bit_highest(uint64_t word)
{
    return 63u - (uint32_t)__builtin_clzll(word);
}

static inline uint32_t bit_count(uint64_t word)
{
    return (uint32_t)__builtin_popcountll(word);
}

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Rounds up to a multiple of a power of two. */
static inline uint64_t round_up(uint64_t value, uint64_t power)
{
    return (value + power - 1) & ~(power - 1);
}

static inline uint64_t round_down(uint64_t value, uint64_t power)
{
    return value & ~(power - 1);
}

static inline size_t words_for(size_t bit_total)
{
    return (bit_total + WORD_BITS - 1) / WORD_BITS;
}

static inline bool bitmap_get(const uint64_t *words, size_t index)
{
    return words[index / WORD_BITS] >> (index % WORD_BITS) & 1;
}

static inline void bitmap_set(uint64_t *words, size_t index)
{
    words[index / WORD_BITS] |= (uint64_t)1 << (index % WORD_BITS);
}

static inline void bitmap_clear(uint64_t *words, size_t index)
{
    words[index / WORD_BITS] &= ~((uint64_t)1 << (index % WORD_BITS));
}

/* The bits [first, first + count) of one word; first + count is at most 64, count at least 1. */
static inline uint64_t word_mask(uint32_t first, uint32_t count)
{
    return (~(uint64_t)0 >> (WORD_BITS - count)) << first;
}

/* Sets or clears `count` bits from `first` on. */
void bitmap_fill(uint64_t *words, size_t first, size_t count, bool value);

/* Counts the bits that are set among `count` bits from `first` on. */
size_t bitmap_count(const uint64_t *words, size_t first, size_t count);

/* The first index in [from, limit) whose bit has the value, or limit. */
size_t bitmap_find(const uint64_t *words, size_t from, size_t limit, bool value);

#endif
