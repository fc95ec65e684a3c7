/* tool/damage: overwrites the tables of the own heap, for tests of those who look at them. */
#include "tool/damage.h"

#include "base/image.h"

#include <dlfcn.h>
#include <stdlib.h>

struct image *damage_image(void)
{
    struct image **variable = dlsym(RTLD_DEFAULT, "gca_image");
    if (variable == NULL)
        abort();
    return *variable;
}

/* A xorshift: the same numbers for the same seed everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t wrong_word(const struct image *image, uint64_t *state)
{
    uint64_t random = next_random(state);
    switch (random % 5) {
    case 0:
        return random;
    case 1:
        return UINT64_MAX;
    case 2:
        return random % 4096;
    case 3:
        return random % UINT32_MAX;
    default:
        return image->metadata_start + random / 8 % image->metadata_used_bytes;
    }
}

void damage_tables(size_t count, uint64_t seed)
{
    const struct image *image = damage_image();
    uint64_t *units = (uint64_t *)image->units_start;
    size_t unit_words = image->units_used * image->unit_descriptor_bytes / sizeof *units;
    uint64_t *metadata = (uint64_t *)image->metadata_start;
    size_t metadata_words = image->metadata_used_bytes / sizeof *metadata;
    uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = wrong_word(image, &state);
        if (next_random(&state) % 2 == 0)
            units[next_random(&state) % unit_words] = word;
        else
            metadata[next_random(&state) % metadata_words] = word;
    }
}
