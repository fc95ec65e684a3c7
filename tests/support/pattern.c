#include "support/pattern.h"

#include <stdint.h>
#include <string.h>

/* Word i of the pattern. Neighbouring words and seeds differ in many bits; never 0 for long. */
static uint64_t pattern_word(size_t index, unsigned seed)
{
    return (index + 1) * 0x9e3779b97f4a7c15u ^ (seed * 0xd6e8feb86659fd93u + 0xa5a5a5a5u);
}

void pattern_fill(void *block, size_t size_bytes, unsigned seed)
{
    unsigned char *bytes = block;
    size_t index;
    uint64_t word;

    for (index = 0; (index + 1) * sizeof word <= size_bytes; index++) {
        word = pattern_word(index, seed);
        memcpy(bytes + index * sizeof word, &word, sizeof word);
    }
    word = pattern_word(index, seed);
    memcpy(bytes + index * sizeof word, &word, size_bytes % sizeof word);
}

bool pattern_holds(const void *block, size_t size_bytes, unsigned seed)
{
    const unsigned char *bytes = block;
    size_t index;
    uint64_t expected, found;

    for (index = 0; (index + 1) * sizeof expected <= size_bytes; index++) {
        memcpy(&found, bytes + index * sizeof found, sizeof found);
        if (found != pattern_word(index, seed))
            return false;
    }
    expected = pattern_word(index, seed);
    return memcmp(bytes + index * sizeof expected, &expected, size_bytes % sizeof expected) == 0;
}

bool all_zero(const void *block, size_t size_bytes)
{
    const unsigned char *bytes = block;

    return size_bytes == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0);
}
