/*
 * With the option poison, a write past the end of an object is found when the arena ends.
 * options: poison
 * expect: memory of arena "records" was written at {end} while it was nobody's
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    char *object = gca_arena_alloc(arena, 40);

    name_address("end", object + 40);
    *(char *)opaque(object + 40) = 1;
    gca_arena_free(arena);
    return survive(40);
}
