/*
 * A destructor frees the arena that runs it.
 * expect: gca_arena_free: arena "records" is ending already, and this is a destructor of it
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

static void free_it(void *arena)
{
    gca_arena_free(arena);
    opaque(arena); /* no tail call */
}

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});

    gca_arena_defer(arena, free_it, arena);
    gca_arena_free(arena);
    return survive(40);
}
