/* bench/micro/realloc-small: 256 vectors grow in turn from 16 bytes to at most 16 KiB by halves, then start again. */
#include "bench/micro/pattern.h"

enum { VECTORS = 256, SIZE_MAX_BYTES = 16384 };

static struct block vectors[VECTORS];

static struct block grow(struct block block, unsigned char tag)
{
    size_t size = block.size + block.size / 2;
    unsigned char *bytes = realloc(block.bytes, size);

    if (bytes == NULL)
        pattern_die("realloc");
    bytes[size - 1] = tag;
    return (struct block){bytes, size};
}

int main(int argc, char **argv)
{
    struct random random = {8};
    uint64_t sum = 0;
    size_t steps;

    pattern_begin(argc, argv);
    steps = pattern_times(8000000);
    for (size_t i = 0; i < steps; i++) {
        struct block *vector = &vectors[random_below(&random, VECTORS)];

        if (vector->size * 3 / 2 > SIZE_MAX_BYTES) {
            sum += block_drop(*vector);
            vector->bytes = NULL;
        }
        *vector = vector->bytes == NULL ? block_take(16, i) : grow(*vector, (unsigned char)i);
    }
    for (size_t at = 0; at < VECTORS; at++)
        sum += block_drop_any(vectors[at]);
    return pattern_end(sum);
}
