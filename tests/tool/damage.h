/* tool/damage: overwrites the tables of the own heap, for tests of those who look at them. */
#ifndef TESTS_TOOL_DAMAGE_H
#define TESTS_TOOL_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image *damage_image(void);

/* So many words, chosen at random. There is no allocating afterwards. */
void damage_tables(size_t count, uint64_t seed);

#endif
