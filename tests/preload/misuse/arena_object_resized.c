/*
 * An arena's object, and a size that asks for nothing.
 * expect: invalid realloc of {object}: memory of arena "records"
 * expect: invalid realloc of {object}: memory of arena "records"
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    char *object = gca_arena_alloc(arena, 40);

    name_address("object", object);
    if (realloc(opaque(object), 80) != NULL || realloc(opaque(object), opaque_size(0)) != NULL)
        return 1;
    gca_arena_free(arena);
    return survive(40);
}
