/*
 * A mark is used after an older one, and one from before a reset.
 * expect: gca_arena_rewind: arena "records" was reset, or rewound to an earlier mark
 * expect: gca_arena_rewind: arena "records" was reset, or rewound to an earlier mark
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    gca_mark older = gca_arena_mark(arena);

    gca_arena_alloc(arena, 40);
    gca_mark newer = gca_arena_mark(arena);
    gca_arena_rewind(arena, older);
    gca_arena_rewind(arena, newer);
    gca_arena_reset(arena);
    gca_arena_rewind(arena, older);
    gca_arena_free(arena);
    return survive(40);
}
