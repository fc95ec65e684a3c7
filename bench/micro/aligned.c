/*
 * bench/micro/aligned: posix_memalign to 32 bytes to 4 KiB, among as many blocks without a wish.
 *
 * Sizes are odd since mimalloc 2.0.9 aligns wrongly where size and alignment are equal (its issue 700) and would
 * have no figure here.
 */
#include "bench/micro/pattern.h"

enum { LIVE = 2000 };

static struct block live[LIVE];

static struct block take_aligned(size_t alignment, size_t size, uint64_t tag)
{
    struct block block = {NULL, size};
    void *bytes;

    if (posix_memalign(&bytes, alignment, size) != 0)
        pattern_die("posix_memalign");
    if ((uintptr_t)bytes % alignment != 0)
        pattern_die("finding the alignment asked for");
    block.bytes = bytes;
    block.bytes[0] = (unsigned char)tag;
    block.bytes[size - 1] = (unsigned char)tag;
    return block;
}

int main(int argc, char **argv)
{
    struct random random = {27};
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    pairs = pattern_times(6000000);
    for (size_t i = 0; i < pairs; i++) {
        struct block *place = &live[random_below(&random, LIVE)];
        size_t size = 1 + 2 * random_below(&random, 300);

        sum += block_drop_any(*place);
        if (i % 2 == 0)
            *place = take_aligned((size_t)32 << random_below(&random, 8), size, i);
        else
            *place = block_take(size, i);
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop_any(live[at]);
    return pattern_end(sum);
}
