/*
 * os/match: finds the words in memory that may be addresses of one small part of the address space, many at a time.
 *
 * Looked at are 32-bit lanes: one that may be the upper half of such an address has, in its low 16 bits, the upper half
 * of the part's addresses. So one compare a lane finds addresses at every multiple of four, whatever their top 16 bits
 * (tags) are. What is found is a superset, to be checked.
 */
#ifndef OS_MATCH_H
#define OS_MATCH_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

/* A lane may be an upper half when lane & mask == value. */
struct os_match {
    uint32_t mask;
    uint32_t value;
};

/* For the addresses from start up to end, which is included. */
static inline struct os_match os_match_range(uintptr_t start, uintptr_t end)
{
    uint32_t first = (uint32_t)(start >> 32) & 0xffff;
    uint32_t last = (uint32_t)(end >> 32) & 0xffff;
    uint32_t mask = 0xffff;
    while ((first & mask) != (last & mask))
        mask = mask << 1 & 0xffff;
    return (struct os_match){mask, first & mask};
}

#if defined(__x86_64__)

static inline __attribute__((always_inline)) __m128i os_match_lanes(const void *bytes, __m128i mask, __m128i value)
{
    __m128i lanes = _mm_loadu_si128((const __m128i *)bytes);
    return _mm_cmpeq_epi32(_mm_and_si128(lanes, mask), value);
}

/* The same for loops that have little else to do between two looks. */
struct os_match_wide {
    __m128i mask, value;
};

static inline struct os_match_wide os_match_widen(struct os_match match)
{
    return (struct os_match_wide){_mm_set1_epi32((int)match.mask), _mm_set1_epi32((int)match.value)};
}

/* A bit for each of the 4 lanes in 16 bytes. */
static inline __attribute__((always_inline)) uint32_t os_match_wide_16(const void *bytes, const struct os_match_wide *match)
{
    return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(os_match_lanes(bytes, match->mask, match->value)));
}

static inline __attribute__((always_inline)) uint32_t os_match_16(const void *bytes, struct os_match match)
{
    struct os_match_wide wide = os_match_widen(match);
    return os_match_wide_16(bytes, &wide);
}

/* A bit for each of the 8 lanes in 32 bytes. */
static inline __attribute__((always_inline)) uint32_t os_match_wide_32(const void *bytes, const struct os_match_wide *match)
{
    const char *from = bytes;
    __m128i low = os_match_lanes(from, match->mask, match->value);
    __m128i high = os_match_lanes(from + 16, match->mask, match->value);
    __m128i found = _mm_packs_epi32(low, high);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(found, found)) & 0xff;
}

/* A bit for each of the 16 lanes in 64 bytes. */
static inline __attribute__((always_inline)) uint32_t os_match_wide_64(const void *bytes, const struct os_match_wide *match)
{
    const char *from = bytes;
    __m128i mask = match->mask;
    __m128i value = match->value;
    __m128i low = _mm_packs_epi32(os_match_lanes(from, mask, value), os_match_lanes(from + 16, mask, value));
    __m128i high = _mm_packs_epi32(os_match_lanes(from + 32, mask, value), os_match_lanes(from + 48, mask, value));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

static inline __attribute__((always_inline)) uint32_t os_match_64(const void *bytes, struct os_match match)
{
    struct os_match_wide wide = os_match_widen(match);
    return os_match_wide_64(bytes, &wide);
}

/* A bit for each of 16 bytes that has one of the bits in `any`. */
static inline __attribute__((always_inline)) uint32_t os_bytes_with_16(const uint8_t *bytes, uint8_t any)
{
    __m128i lanes = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)bytes), _mm_set1_epi8((char)any));
    return ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, _mm_setzero_si128())) & 0xffff;
}

/* A bit for each of 16 bytes that equals the value, seen through the mask. */
static inline __attribute__((always_inline)) uint32_t os_bytes_like_16(const uint8_t *bytes, uint8_t mask, uint8_t value)
{
    __m128i lanes = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)bytes), _mm_set1_epi8((char)mask));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, _mm_set1_epi8((char)value)));
}

/* A bit for each of 16 bytes that equals the value. */
static inline __attribute__((always_inline)) uint32_t os_bytes_equal_16(const uint8_t *bytes, uint8_t value)
{
    __m128i lanes = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, _mm_set1_epi8((char)value)));
}

#else

static inline uint32_t os_match_16(const void *bytes, struct os_match match)
{
    uint32_t lanes[4];
    memcpy(lanes, bytes, sizeof lanes);
    uint32_t found = 0;
    for (uint32_t i = 0; i < 4; i++)
        found |= (uint32_t)((lanes[i] & match.mask) == match.value) << i;
    return found;
}

static inline uint32_t os_match_64(const void *bytes, struct os_match match)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < 4; i++)
        found |= os_match_16((const char *)bytes + 16 * i, match) << 4 * i;
    return found;
}

struct os_match_wide {
    struct os_match match;
};

static inline struct os_match_wide os_match_widen(struct os_match match)
{
    return (struct os_match_wide){match};
}

static inline uint32_t os_match_wide_16(const void *bytes, const struct os_match_wide *match)
{
    return os_match_16(bytes, match->match);
}

static inline uint32_t os_match_wide_32(const void *bytes, const struct os_match_wide *match)
{
    return os_match_wide_16(bytes, match) | os_match_wide_16((const char *)bytes + 16, match) << 4;
}

static inline uint32_t os_match_wide_64(const void *bytes, const struct os_match_wide *match)
{
    return os_match_64(bytes, match->match);
}

static inline uint32_t os_bytes_with_16(const uint8_t *bytes, uint8_t any)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < 16; i++)
        found |= (uint32_t)((bytes[i] & any) != 0) << i;
    return found;
}

static inline uint32_t os_bytes_like_16(const uint8_t *bytes, uint8_t mask, uint8_t value)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < 16; i++)
        found |= (uint32_t)((bytes[i] & mask) == value) << i;
    return found;
}

static inline uint32_t os_bytes_equal_16(const uint8_t *bytes, uint8_t value)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < 16; i++)
        found |= (uint32_t)(bytes[i] == value) << i;
    return found;
}

#endif

#endif
