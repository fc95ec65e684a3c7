/*
 * roots/places: blocks whose only pointers lie in one place each, and what a collection makes of them.
 *
 * Each place is tried in a process of its own: some hundred blocks are held by nothing but that place, as many by nothing
 * at all. After a collection all of the first must be there, whole, and nearly all of the others gone; when the place
 * has been cleared, the first are gone too, so it was the place that held them.
 */
#ifndef ROOTS_PLACES_H
#define ROOTS_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLOCKS = 300, BLOCK_BYTES = 48, LINK_BYTES = 16, AREA_BYTES = 65536 };

struct place {
    const char *name;
    void (*prepare)(void);                      /* may be NULL; before there are blocks */
    void (*put)(size_t index, uintptr_t block); /* called for each block; leaves the address in the place only */
    void (*seal)(void);                         /* may be NULL; after all are put */
    void (*clear)(void);                        /* may be NULL: then the second half is not tried */
    size_t count;                               /* blocks the place holds; 0 means BLOCKS */
    void (*run)(void (*check)(void));           /* may be NULL; calls check() itself, from within something */
};

/* Made not to look like the address it stands for. */
static inline uintptr_t hide(uintptr_t address)
{
    return ~address;
}

/* Block `index` of those that the place holds; the first 16 bytes are free for its use. */
uintptr_t kept_block(size_t index);

/* Writes the addresses of the place's blocks, from `first` on. Leaves no copies but those on the dead stack. */
void fill_words(uintptr_t *words, size_t first, size_t count);

/* Whether the block at a hidden address is allocated. */
bool is_there(uintptr_t hidden_block);

/* The compiler must suppose that the memory is read and written here. */
static inline void touch(void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* Overwrites dead stack and the registers that calls leave behind. */
void wipe(void);

/* As the test does, later. */
void collect(void);

/* Reads one byte, for threads that wait for it; interrupted calls are a failure. */
void wait_for_byte(int descriptor);

extern const struct place memory_places[];
extern const struct place thread_places[];
extern const struct place stack_places[];
extern const struct place kernel_places[];

#endif
