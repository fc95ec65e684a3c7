/*
 * The arena itself is given to free().
 * expect: invalid free of {arena}: memory of the arena at {arena}
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(NULL);

    name_address("arena", arena);
    free_hidden(arena);
    gca_arena_alloc(arena, 100000);
    gca_arena_free(arena);
    return survive(40);
}
