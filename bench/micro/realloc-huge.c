/* bench/micro/realloc-huge: one buffer grows by halves from 1 MiB to over 512 MiB, every page touched. */
#include "bench/micro/pattern.h"

#define START_BYTES ((size_t)1 << 20)
#define END_BYTES ((size_t)512 << 20)

static uint64_t grow_once(unsigned char tag)
{
    struct block buffer = block_take(START_BYTES, tag);

    pattern_touch_pages(buffer.bytes, 0, buffer.size, tag);
    while (buffer.size < END_BYTES) {
        size_t size = buffer.size + buffer.size / 2;
        unsigned char *bytes = realloc(buffer.bytes, size);

        if (bytes == NULL)
            pattern_die("realloc");
        pattern_touch_pages(bytes, buffer.size, size, tag);
        bytes[size - 1] = tag;
        buffer = (struct block){bytes, size};
    }
    return block_drop(buffer);
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t times;

    pattern_begin(argc, argv);
    times = pattern_times(1);
    for (size_t i = 0; i < times; i++)
        sum += grow_once((unsigned char)(i + 1));
    return pattern_end(sum);
}
