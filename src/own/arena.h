/*
 * own/arena: what an arena is made of.
 *
 * Everything lies in its chunks, the arena itself in the first: whoever holds a pointer into any of them leads a collector
 * to all. `current` is the chunk that is being filled, older ones are full; one object that is too large for it gets a
 * chunk of its own, in `singles`, and the filling goes on. A reset moves what was filled to `spares`.
 *
 * The inline functions of <gcalloc/arena.h> move `shared.next` up to `shared.limit`. Where every allocation is to come
 * here, because a cursor is open or memory is checked, both say the chunk's end, and the place is in `hidden_next`.
 */
#ifndef OWN_ARENA_H
#define OWN_ARENA_H

#include "gcalloc/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* At the start of each chunk. */
struct arena_chunk {
    _Alignas(16) struct arena_chunk *older;
    struct arena *arena;
    size_t usable_bytes;
    char *used_end;  /* where it was full; means nothing for `current` */
    uint64_t serial; /* when it was taken, for singles */
};

/* What is to be done when the arena ends: a destructor, or a sub-arena to be freed when function is NULL. */
struct arena_cleanup {
    struct arena_cleanup *older;
    struct arena_cleanup *newer;
    void (*function)(void *object);
    void *object;
    uint64_t serial;
};

struct arena {
    gca_arena shared; /* first: the program's pointer is ours */
    char *hidden_next; /* NULL when the place is shared.next */
    struct arena_chunk *current;
    struct arena_chunk *spares;  /* empty */
    struct arena_chunk *singles;
    struct arena_cleanup *newest; /* a ring's link would not do: it is freed with the memory it lies in */
    struct arena_cleanup self;    /* in the parent's list */
    struct arena *parent;
    const char *name;
    size_t capacity_bytes; /* of all chunks, spares too */
    size_t charged_bytes;  /* the same, with sub-arenas */
    size_t budget_bytes;
    uint64_t serial; /* of the latest mark, cleanup or single */
    uint64_t resets;
    uintptr_t thread; /* that may use it; 0: any */
    unsigned flags;
    bool is_checked; /* option poison: memory that is not handed out holds a pattern */
    bool is_slow;    /* every allocation comes to us: memory is checked, or the program runs under AddressSanitizer */
    bool is_lent;    /* to a cursor */
    bool is_ending;  /* destructors run */
};

/* ---- own/arena_memory ---- */

/* The end of what was handed out of the current chunk, and how far it goes. */
static inline char *arena_position(const struct arena *arena)
{
    return arena->hidden_next != NULL ? arena->hidden_next : arena->shared.next;
}

static inline char *arena_chunk_end(const struct arena_chunk *chunk)
{
    return (char *)chunk + chunk->usable_bytes;
}

/* The first object's place in a chunk that is not the first. */
static inline char *arena_chunk_start(struct arena_chunk *chunk)
{
    return (char *)(chunk + 1);
}

/* Where the current chunk is filled from now on. */
void arena_set_position(struct arena *arena, char *next);

/* The first chunk, with the arena in it. NULL when memory is short, or the parent's budget. */
struct arena *arena_create(struct arena *parent, size_t size_bytes);

/* Memory, or NULL. The size is not 0, the alignment a power of two. */
void *arena_take(struct arena *arena, size_t size_bytes, size_t align_bytes);

/* Gives up what was handed out after this place in the chunk, one of those that were filled, and after this serial. */
void arena_give_up(struct arena *arena, struct arena_chunk *chunk, char *next, uint64_t serial);

/* Lets go of all spares. */
void arena_drop_spares(struct arena *arena);

/* Lets go of everything; the arena is gone. Nothing but the first chunk's objects and spares are left. */
void arena_destroy(struct arena *arena);

/* ---- own/arena ---- */

/* The place of the first object in the first chunk. */
char *arena_first_object(struct arena *arena);

/*
 * The arena for a call of the program's; NULL after a report: when it is none, or not the calling thread's, or a cursor is
 * open.
 */
struct arena *arena_checked(const gca_arena *arena, const char *function, void *caller);

const char *arena_name(const struct arena *arena);

/* For a report: the address lies in a chunk of this layer's. */
struct text;

void own_describe(struct text *text, const void *address);

#endif
