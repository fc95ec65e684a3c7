#include "support/workload.h"

#include "support/pattern.h"
#include "support/require.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { HELD = 200 };

struct held {
    void *block;
    size_t size_bytes;
};

static atomic_uint refused;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* Mostly small, at times large, seldom huge, never above the limit. */
static size_t pick_size(uint64_t random, size_t limit)
{
    unsigned kind = (unsigned)(random % 256);
    size_t bound = kind < 200 ? 600 : kind < 245 ? 20000 : kind < 255 ? 400000 : 6000000;

    return (size_t)(random >> 16) % (bound < limit ? bound : limit);
}

static void *allocate(uint64_t random, size_t size)
{
    void *block = NULL;

    switch (random % 4) {
    case 0:
        block = calloc(1, size);
        require(block == NULL || all_zero(block, size));
        return block;
    case 1:
        errno = posix_memalign(&block, (size_t)16 << random / 4 % 9, size);
        return block;
    default:
        return malloc(size);
    }
}

static void hold(struct held *held, void *block, size_t size, unsigned seed)
{
    if (block == NULL) {
        require(errno == ENOMEM);
        atomic_fetch_add(&refused, 1);
        return;
    }
    require(malloc_usable_size(block) >= size);
    pattern_fill(block, size, seed);
    *held = (struct held){.block = block, .size_bytes = size};
}

static void step(struct held *held, unsigned seed, uint64_t random, size_t limit)
{
    size_t size = pick_size(random, limit);

    require(held->block == NULL || pattern_holds(held->block, held->size_bytes, seed));
    if (held->block == NULL) {
        hold(held, allocate(random >> 40, size), size, seed);
    } else if (random >> 60 == 0) {
        void *moved = realloc(held->block, size + 1);
        size_t common = size < held->size_bytes ? size : held->size_bytes;

        require(moved == NULL || pattern_holds(moved, common, seed));
        hold(held, moved, size + 1, seed);
    } else {
        free(held->block);
        held->block = NULL;
    }
}

void workload_run_small(uint64_t seed, unsigned steps, size_t size_max_bytes)
{
    struct held held[HELD] = {{NULL, 0}};
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 0x1234567u;

    for (unsigned i = 0; i < steps; i++) {
        uint64_t random = next_random(&state);
        unsigned which = (unsigned)(random >> 8) % HELD;

        step(&held[which], which, random, size_max_bytes);
    }
    for (unsigned i = 0; i < HELD; i++) {
        require(held[i].block == NULL || pattern_holds(held[i].block, held[i].size_bytes, i));
        free(held[i].block);
    }
}

void workload_run(uint64_t seed, unsigned steps)
{
    workload_run_small(seed, steps, SIZE_MAX);
}

unsigned workload_refused(void)
{
    return atomic_load(&refused);
}

size_t resident_kib(void)
{
    char text[128] = "";
    int descriptor = open("/proc/thread-self/statm", O_RDONLY);
    char *end;

    require(descriptor >= 0 && read(descriptor, text, sizeof text - 1) > 0);
    close(descriptor);
    strtoul(text, &end, 10);
    return strtoul(end, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}
