/*
 * Samples: of small blocks as many as the distribution says, of large ones all; each with its own stack, though its slot has
 * had another's record before; and every other block has none.
 */
#include "preload/stacks/recorded.h"

#include <stdlib.h>

enum { SMALL = 20000, SMALL_BYTES = 100, LARGE = 50, LARGE_BYTES = 100000, SAMPLE_BYTES = 1024 };

static volatile int after;

__attribute__((noinline)) static void *early(void)
{
    void *block = malloc(SMALL_BYTES);
    after++;
    return block;
}

__attribute__((noinline)) static void *late(size_t size_bytes, void **return_out)
{
    *return_out = __builtin_return_address(0);
    void *block = malloc(size_bytes);
    after++;
    return block;
}

int main(void)
{
    static void *blocks[SMALL];
    void *from = NULL;
    require(recorded_tables()->sample_bytes == SAMPLE_BYTES);
    for (int i = 0; i < SMALL; i++)
        require((blocks[i] = early()) != NULL);
    for (int i = 0; i < SMALL; i++)
        free(blocks[i]);
    unsigned chosen = 0;
    for (int i = 0; i < SMALL; i++) {
        require((blocks[i] = late(SMALL_BYTES, &from)) != NULL);
        if (!has_record(blocks[i]))
            continue;
        require(frames_find(stack_of(blocks[i]), &from, 1) == 1);
        chosen++;
    }
    /* 20,000 times 1 - exp(-100/1024), 1,861, more or less six standard deviations of 41. */
    require(chosen > 1615 && chosen < 2107);
    for (int i = 0; i < LARGE; i++) {
        void *block = late(LARGE_BYTES, &from);
        require(has_record(block) && frames_find(stack_of(block), &from, 1) == 1);
        free(block);
    }
    return 0;
}
