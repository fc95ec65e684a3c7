/*
 * bench/micro/pattern: what every allocation pattern shares.
 *
 * A pattern is an ordinary program: it knows no allocator, does a fixed amount of work from a fixed seed, and
 * prints one checksum of what it read back from its blocks. The checksum depends on sizes and tags only, never on
 * addresses, so every allocator must give the same one; the driver compares them.
 */
#ifndef BENCH_MICRO_PATTERN_H
#define BENCH_MICRO_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct random {
    uint64_t state;
};

/* splitmix64 (Steele, Lea, Flood 2014): no warm-up, any seed will do. */
static inline uint64_t random_next(struct random *random)
{
    uint64_t mixed = random->state += 0x9e3779b97f4a7c15u;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

/* Uniform in [0, bound); bound is at most 2^32. */
static inline size_t random_below(struct random *random, size_t bound)
{
    return (size_t)(((random_next(random) >> 32) * bound) >> 32);
}

/* A block and its size, so that both ends can be read back when it dies. */
struct block {
    unsigned char *bytes;
    size_t size;
};

_Noreturn void pattern_die(const char *what);

/* Both ends are written, as any user of the block would, and no more: this measures the allocator, not memset. */
static inline struct block block_take(size_t size, uint64_t tag)
{
    struct block block = {malloc(size), size};

    if (block.bytes == NULL)
        pattern_die("malloc");
    block.bytes[0] = (unsigned char)tag;
    block.bytes[size - 1] = (unsigned char)tag;
    return block;
}

/* Returns what the two ends hold, for the checksum. */
static inline uint64_t block_drop(struct block block)
{
    uint64_t sum = (uint64_t)block.bytes[0] + block.bytes[block.size - 1];

    free(block.bytes);
    return sum;
}

/* The same for a table in which an empty place has no block. */
static inline uint64_t block_drop_any(struct block block)
{
    return block.bytes != NULL ? block_drop(block) : 0;
}

/* Reads the optional argument: the work to do, in percent of the normal amount (1 to 10000). */
void pattern_begin(int argc, char **argv);

/* The share of `count` to do in this run, at least 1. Only repetitions are scaled, never live data. */
size_t pattern_times(size_t count);

/* Prints the checksum; returns main's exit status. */
int pattern_end(uint64_t checksum);

/* Writes one byte in every 4 KiB, as a program that fills a large block would fault it in. */
void pattern_touch_pages(unsigned char *bytes, size_t from, size_t to, unsigned char tag);

/* Sum of `count` runs of `body`, each in a thread of its own and given its index; `body` returns its checksum. */
uint64_t pattern_threads(size_t count, uint64_t (*body)(size_t index));

#endif
