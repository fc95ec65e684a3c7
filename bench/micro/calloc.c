/* bench/micro/calloc: zeroed blocks of 16 bytes to 64 KiB replaced at random, each read in full and dirtied in part. */
#include "bench/micro/pattern.h"

enum { LIVE = 400, SIZE_MIN_BYTES = 16, DOUBLINGS = 12 };

static struct block live[LIVE];

static struct block take_zeroed(size_t size, uint64_t tag)
{
    struct block block = {calloc(1, size), size};

    if (block.bytes == NULL)
        pattern_die("calloc");
    for (size_t at = 0; at < size; at += 64) {
        if (block.bytes[at] != 0)
            pattern_die("finding zeros in a calloc'ed block");
    }
    for (size_t at = 0; at < size; at += 512)
        block.bytes[at] = (unsigned char)tag;
    block.bytes[size - 1] = (unsigned char)tag;
    return block;
}

int main(int argc, char **argv)
{
    struct random random = {26};
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    pairs = pattern_times(1300000);
    for (size_t i = 0; i < pairs; i++) {
        struct block *place = &live[random_below(&random, LIVE)];
        size_t floor = (size_t)SIZE_MIN_BYTES << random_below(&random, DOUBLINGS);

        sum += block_drop_any(*place);
        *place = take_zeroed(floor + random_below(&random, floor), i);
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop_any(live[at]);
    return pattern_end(sum);
}
