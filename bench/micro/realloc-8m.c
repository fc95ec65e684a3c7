/*
 * bench/micro/realloc-8m: four buffers grow in turn by quarters from 64 KiB to 8 MiB, every page touched, again and
 * again.
 *
 * In turn, because a single buffer at the end of glibc's heap would only ever move that end.
 */
#include "bench/micro/pattern.h"

#define START_BYTES ((size_t)64 << 10)
#define END_BYTES ((size_t)8 << 20)

enum { BUFFERS = 4 };

static struct block grow(struct block buffer, unsigned char tag)
{
    size_t size = buffer.size + buffer.size / 4;
    unsigned char *bytes = realloc(buffer.bytes, size);

    if (bytes == NULL)
        pattern_die("realloc");
    pattern_touch_pages(bytes, buffer.size, size, tag);
    bytes[size - 1] = tag;
    return (struct block){bytes, size};
}

static uint64_t grow_together(unsigned char tag)
{
    struct block buffers[BUFFERS];
    uint64_t sum = 0;

    for (size_t at = 0; at < BUFFERS; at++) {
        buffers[at] = block_take(START_BYTES, tag);
        pattern_touch_pages(buffers[at].bytes, 0, START_BYTES, tag);
    }
    while (buffers[BUFFERS - 1].size < END_BYTES) {
        for (size_t at = 0; at < BUFFERS; at++)
            buffers[at] = grow(buffers[at], tag);
    }
    for (size_t at = 0; at < BUFFERS; at++)
        sum += block_drop(buffers[at]);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t times;

    pattern_begin(argc, argv);
    times = pattern_times(24);
    for (size_t i = 0; i < times; i++)
        sum += grow_together((unsigned char)(i + 1));
    return pattern_end(sum);
}
