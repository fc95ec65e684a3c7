/* watched: memory of arenas and pools used in ways that AddressSanitizer should report, or, with "right", should not. */
#include <gcalloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thing {
    int values[5];
};

static gca_arena *arena;
static gca_pool *pool;
static const char *mode;

static bool is(const char *name)
{
    return strcmp(mode, name) == 0;
}

/* Everything that is right, by functions inside and outside of the program. */
static void use_all(void)
{
    size_t size;
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < 2000; i++) {
            memset(gca_arena_alloc(arena, (size_t)i), i, (size_t)i);
            char *text = gca_arena_printf(arena, "%d of %s", i, mode);
            char *both = gca_arena_concat(arena, text, ", ", text, NULL);
            if (strlen(both) != 2 * strlen(text) + 2 || gca_arena_array(arena, char, 7)[6] != 0)
                abort();
        }
        gca_mark mark = gca_arena_mark(arena);
        memset(gca_arena_alloc(arena, 100000), 1, 100000);
        memset(gca_arena_alloc_aligned(arena, 300, 4096), 1, 300);
        gca_arena_rewind(arena, mark);
        gca_cursor cursor = gca_cursor_open(arena);
        for (int i = 0; i < 1000; i++)
            gca_cursor_make(&cursor, struct thing)->values[4] = i;
        gca_cursor_close(cursor);
        if (gca_arena_read_file(arena, "/proc/self/stat", &size) == NULL)
            abort();
        gca_arena *part = gca_arena_new(&(gca_arena_options){.parent = arena});
        gca_arena_make(part, struct thing)->values[0] = 1;
        struct thing *things[500];
        for (int i = 0; i < 500; i++) {
            things[i] = gca_pool_get(pool);
            memset(things[i], i, sizeof *things[i]);
        }
        for (int i = 0; i < 500; i++)
            gca_pool_put(pool, things[i]);
        gca_with_scratch(scratch, NULL);
        memset(gca_arena_alloc(scratch, 1000), 1, 1000);
        gca_arena_reset(arena);
    }
    struct thing *counted = gca_rc_new(struct thing);
    counted->values[4] = 1;
    gca_release(counted);
}

int main(int argc, char **argv)
{
    mode = argc > 1 ? argv[1] : "right";
    arena = gca_arena_new(NULL);
    pool = gca_pool_new(&(gca_pool_options){.name = "things", .object_bytes = sizeof(struct thing)});
    if (arena == NULL || pool == NULL)
        return 2;
    struct thing *thing = gca_arena_make(arena, struct thing);
    struct thing *pooled = gca_pool_get(pool);
    gca_mark mark = gca_arena_mark(arena);
    char *text = gca_arena_strdup(arena, "text");
    volatile size_t past = 5;
    if (is("right"))
        use_all();
    if (is("past_the_end"))
        thing->values[past] = 1;
    if (is("past_a_text"))
        text[past] = 1;
    if (is("before_any"))
        text[past + 100] = 1;
    if (is("after_rewind")) {
        gca_arena_rewind(arena, mark);
        text[0] = 'T';
    }
    if (is("after_reset")) {
        gca_arena_reset(arena);
        thing->values[0] = 1;
    }
    if (is("by_libc")) {
        gca_arena_reset(arena);
        memset(thing, 0, sizeof *thing);
    }
    if (is("after_put")) {
        gca_pool_put(pool, pooled);
        pooled->values[0] = 1;
    }
    gca_pool_free(pool);
    gca_arena_free(arena);
    puts("done");
    return 0;
}
