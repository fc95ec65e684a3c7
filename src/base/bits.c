/*
 * base/bits: ranges of bits.
 *
 * Locks: none; the caller owns the words.
 */
#include "base/bits.h"

static uint32_t piece(size_t first, size_t count)
{
    size_t room = WORD_BITS - first % WORD_BITS;
    return (uint32_t)(count < room ? count : room);
}

void bitmap_fill(uint64_t *words, size_t first, size_t count, bool value)
{
    while (count > 0) {
        uint32_t bits = piece(first, count);
        uint64_t mask = word_mask(first % WORD_BITS, bits);
        if (value)
            words[first / WORD_BITS] |= mask;
        else
            words[first / WORD_BITS] &= ~mask;
        first += bits;
        count -= bits;
    }
}

size_t bitmap_count(const uint64_t *words, size_t first, size_t count)
{
    size_t total = 0;
    while (count > 0) {
        uint32_t bits = piece(first, count);
        total += bit_count(words[first / WORD_BITS] & word_mask(first % WORD_BITS, bits));
        first += bits;
        count -= bits;
    }
    return total;
}

size_t bitmap_find(const uint64_t *words, size_t from, size_t limit, bool value)
{
    uint64_t flip = value ? 0 : ~(uint64_t)0;
    while (from < limit) {
        uint64_t word = (words[from / WORD_BITS] ^ flip) >> (from % WORD_BITS);
        if (word != 0) {
            size_t found = from + bit_lowest(word);
            return found < limit ? found : limit;
        }
        from = (from / WORD_BITS + 1) * WORD_BITS;
    }
    return limit;
}
