/*
 * bench/micro/mixed-frees-2t: two threads make sweeps of small blocks, and each frees half of its own and half of
 * what the other left in shared places.
 */
#include "bench/micro/pattern.h"

#include <stdatomic.h>

enum { THREADS = 2, SWEEP = 1000, PLACES = 8192 };

static _Atomic(struct block *) places[PLACES];

/* A block that carries its own description, so that one pointer can be handed over. */
static struct block *parcel(size_t size, uint64_t tag)
{
    struct block *block = malloc(sizeof *block + size);

    if (block == NULL)
        pattern_die("malloc");
    *block = (struct block){(unsigned char *)(block + 1), size};
    block->bytes[0] = (unsigned char)tag;
    block->bytes[size - 1] = (unsigned char)tag;
    return block;
}

static uint64_t parcel_free(struct block *block)
{
    uint64_t sum;

    if (block == NULL)
        return 0;
    sum = (uint64_t)block->bytes[0] + block->bytes[block->size - 1];
    free(block);
    return sum;
}

static uint64_t sweep(struct random *random)
{
    struct block *own[SWEEP];
    uint64_t sum = 0;

    for (size_t i = 0; i < SWEEP; i++)
        own[i] = parcel(1 + random_below(random, 150), i);
    for (size_t i = 0; i < SWEEP; i++) {
        if (i % 2 == 0)
            sum += parcel_free(own[i]);
        else
            sum += parcel_free(atomic_exchange(&places[random_below(random, PLACES)], own[i]));
    }
    return sum;
}

static uint64_t work(size_t index)
{
    struct random random = {22 + index};
    size_t rounds = pattern_times(7000);
    uint64_t sum = 0;

    for (size_t round = 0; round < rounds; round++)
        sum += sweep(&random);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum;

    pattern_begin(argc, argv);
    sum = pattern_threads(THREADS, work);
    for (size_t at = 0; at < PLACES; at++)
        sum += parcel_free(places[at]);
    return pattern_end(sum);
}
