/*
 * An arena's objects, one in a chunk of its own.
 * expect: invalid free of {object}: memory of arena "records"
 * expect: invalid free of {large}: memory of arena "records"
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    char *object = gca_arena_alloc(arena, 40);
    char *large = gca_arena_alloc(arena, 9000000);

    name_address("object", object);
    name_address("large", large);
    free_hidden(object);
    free_hidden(large);
    object[39] = large[8999999] = 1;
    gca_arena_free(arena);
    return survive(40);
}
