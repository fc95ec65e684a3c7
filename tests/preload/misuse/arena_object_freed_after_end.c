/*
 * An object of an arena that was freed before.
 * expect: invalid free of {object}: memory of an arena that is gone
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    char *object = gca_arena_alloc(arena, 40);

    name_address("object", object);
    gca_arena_free(arena);
    free_hidden(object);
    return survive(40);
}
