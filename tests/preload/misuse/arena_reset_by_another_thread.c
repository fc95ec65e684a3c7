/*
 * An arena that was declared to be its thread's own.
 * expect: gca_arena_reset: arena "mine" belongs to another thread
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

static void *reset(void *arena)
{
    gca_arena_reset(arena);
    return NULL;
}

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "mine", .flags = GCA_ARENA_OWN_THREAD});

    in_a_thread(reset, arena);
    gca_arena_free(arena);
    return survive(40);
}
