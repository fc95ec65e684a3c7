/*
 * The arena's pointer was kept.
 * expect: gca_arena_free({arena}): not an arena, or one that is gone
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(NULL);

    name_address("arena", arena);
    gca_arena_free(arena);
    gca_arena_free(arena);
    return survive(40);
}
