/*
 * bench/micro/batches: one thread makes blocks by the hundred, another frees them by the hundred, through a locked
 * list.
 *
 * Like handover, but each side sleeps while it has nothing to do, and the blocks of a batch lie in a block
 * themselves.
 */
#include "bench/micro/pattern.h"

#include <pthread.h>

enum { BATCH_BLOCKS = 100, WAITING_MAX = 64, BATCHES = 60000 };

struct batch {
    struct batch *next;
    struct block blocks[BATCH_BLOCKS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct batch *first;
static struct batch *last;
static size_t waiting;

static void put(struct batch *batch)
{
    pthread_mutex_lock(&lock);
    while (waiting == WAITING_MAX)
        pthread_cond_wait(&changed, &lock);
    batch->next = NULL;
    if (first == NULL)
        first = batch;
    else
        last->next = batch;
    last = batch;
    if (waiting++ == 0)
        pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static struct batch *get(void)
{
    struct batch *batch;

    pthread_mutex_lock(&lock);
    while (waiting == 0)
        pthread_cond_wait(&changed, &lock);
    batch = first;
    first = batch->next;
    /* Woken when half empty, so that the sides do not take turns batch by batch. */
    if (waiting-- == WAITING_MAX / 2)
        pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return batch;
}

static uint64_t make(size_t count)
{
    struct random random = {17};

    for (size_t i = 0; i < count; i++) {
        struct batch *batch = malloc(sizeof *batch);

        if (batch == NULL)
            pattern_die("malloc");
        for (size_t at = 0; at < BATCH_BLOCKS; at++)
            batch->blocks[at] = block_take(8 + random_below(&random, 120), at);
        put(batch);
    }
    return 0;
}

static uint64_t use(size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct batch *batch = get();

        for (size_t at = 0; at < BATCH_BLOCKS; at++)
            sum += block_drop(batch->blocks[at]);
        free(batch);
    }
    return sum;
}

static uint64_t side(size_t index)
{
    size_t count = pattern_times(BATCHES);

    return index == 0 ? make(count) : use(count);
}

int main(int argc, char **argv)
{
    pattern_begin(argc, argv);
    return pattern_end(pattern_threads(2, side));
}
