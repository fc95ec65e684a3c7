/*
 * A strict arena ends before its sub-arena.
 * expect: gca_arena_reset: arena "outer": its sub-arena "inner" still lives
 * expect: gca_arena_free: arena "outer": its sub-arena "inner" still lives
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *outer = gca_arena_new(&(gca_arena_options){.name = "outer", .flags = GCA_ARENA_STRICT});
    gca_arena *inner = gca_arena_new(&(gca_arena_options){.name = "inner", .parent = outer});

    gca_arena_reset(outer);
    gca_arena_free(outer);
    gca_arena_free(inner);
    gca_arena_free(outer);
    return survive(40);
}
