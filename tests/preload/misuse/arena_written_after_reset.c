/*
 * With the option poison, a write through an old pointer is found when the memory is handed out again.
 * options: poison
 * expect: memory of arena "records" was written at {object} while it was nobody's
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    char *object = gca_arena_alloc(arena, 40);

    name_address("object", object);
    gca_arena_reset(arena);
    if (*(unsigned char *)opaque(object) != 0xdd)
        return 1;
    *(char *)opaque(object) = 1;
    gca_arena_alloc(arena, 40);
    gca_arena_free(arena);
    return survive(40);
}
