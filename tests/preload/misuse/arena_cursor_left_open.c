/*
 * The arena is used while a cursor is open on it.
 * expect: gca_arena_alloc: arena "records" has an open cursor
 */
#include "gcalloc/arena.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "records"});
    gca_cursor cursor = gca_cursor_open(arena);

    gca_cursor_make(&cursor, int);
    gca_arena_alloc(arena, 16);
    gca_cursor_close(cursor);
    gca_arena_free(arena);
    return survive(40);
}
