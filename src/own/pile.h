/* own/pile: a growing array of addresses, in metadata. */
#ifndef OWN_PILE_H
#define OWN_PILE_H

#include <stdbool.h>
#include <stddef.h>

struct pile {
    void **items;
    size_t count;
    size_t room;
};

/* False when memory is short; then nothing has changed. */
bool pile_push(struct pile *pile, void *item);
bool pile_grow(struct pile *pile);
/* Sees to it that so many more have room. */
bool pile_reserve(struct pile *pile, size_t count);
void pile_free(struct pile *pile);

#endif
