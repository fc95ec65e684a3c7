/*
 * bench/micro/handover: one thread makes blocks, another frees them, through a bounded ring.
 *
 * Each side publishes its place once per 64 blocks, so that the ring costs little and freeing for another thread is
 * what is measured. A side that must wait yields: on a machine with one free core spinning would only burn the
 * other's time.
 */
#include "bench/micro/pattern.h"

#include <sched.h>
#include <stdatomic.h>

enum { RING = 4096, PUBLISH_EVERY = 64, BLOCKS = 6000000 };

static struct block ring[RING];
static _Alignas(64) atomic_size_t made;
static _Alignas(64) atomic_size_t used;

static void wait_until_above(atomic_size_t *place, size_t floor)
{
    while (atomic_load_explicit(place, memory_order_acquire) < floor)
        sched_yield();
}

static uint64_t produce(size_t count)
{
    struct random random = {6};

    for (size_t i = 0; i < count; i++) {
        if (i % PUBLISH_EVERY == 0) {
            atomic_store_explicit(&made, i, memory_order_release);
            if (i + PUBLISH_EVERY > RING)
                wait_until_above(&used, i + PUBLISH_EVERY - RING);
        }
        ring[i % RING] = block_take(16 + random_below(&random, 256), i);
    }
    atomic_store_explicit(&made, count, memory_order_release);
    return 0;
}

static uint64_t consume(size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        if (i % PUBLISH_EVERY == 0) {
            atomic_store_explicit(&used, i, memory_order_release);
            wait_until_above(&made, i + PUBLISH_EVERY < count ? i + PUBLISH_EVERY : count);
        }
        sum += block_drop(ring[i % RING]);
    }
    return sum;
}

static uint64_t side(size_t index)
{
    size_t count = pattern_times(BLOCKS);

    return index == 0 ? produce(count) : consume(count);
}

int main(int argc, char **argv)
{
    pattern_begin(argc, argv);
    return pattern_end(pattern_threads(2, side));
}
