/*
 * own/arena: the life of an arena: made, marked, rewound, reset, freed.
 *
 * Sub-arenas and destructors are in one list, newest first, and end in that order. A sub-arena that is freed by itself
 * leaves the list.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "own/arena.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/format.h"
#include "heap/chunk.h"
#include "heap/misuse.h"
#include "heap/thread.h"
#include "own/dangle.h"
#include "own/export.h"
#include "own/pool.h"

#include "gcalloc/borrow.h"

#include <errno.h>

static const char *const section = "arena misuse";

const char *arena_name(const struct arena *arena)
{
    return arena->name != NULL ? arena->name : "?";
}

char *arena_first_object(struct arena *arena)
{
    return (char *)arena + round_up(sizeof *arena, CACHE_LINE_BYTES);
}

/* No two threads that live have their variables at one address. */
static uintptr_t this_thread(void)
{
    return (uintptr_t)&heap_self;
}

/* The arena that an address lies in, or NULL. */
static struct arena *arena_around(const void *address)
{
    struct arena_chunk *chunk = chunk_of(address, USE_ARENA);
    return chunk != NULL ? chunk->arena : NULL;
}

void own_describe(struct text *text, const void *address)
{
    const struct arena *arena = arena_around(address);
    if (arena == NULL)
        pool_describe(text, address);
    else if (arena->name == NULL)
        text_add(text, "memory of the arena at %p", (const void *)arena);
    else
        text_add(text, "memory of arena \"%s\"", arena->name);
}

struct arena *arena_checked(const gca_arena *shared, const char *function, void *caller)
{
    struct arena *arena = (struct arena *)(uintptr_t)shared;
    if (UNLIKELY(arena_around(arena) != arena || arena == NULL))
        misuse_other(section, caller, "%s(%p): not an arena, or one that is gone", function, (const void *)shared);
    else if (UNLIKELY(arena->thread != 0 && arena->thread != this_thread()))
        misuse_other(section, caller, "%s: arena \"%s\" belongs to another thread", function, arena_name(arena));
    else if (UNLIKELY(arena->is_lent))
        misuse_other(section, caller, "%s: arena \"%s\" has an open cursor", function, arena_name(arena));
    else
        return arena;
    errno = EINVAL;
    return NULL;
}

/* ---- what is to be done at the end ---- */

static void link_cleanup(struct arena *arena, struct arena_cleanup *cleanup)
{
    cleanup->serial = ++arena->serial;
    cleanup->newer = NULL;
    cleanup->older = arena->newest;
    if (cleanup->older != NULL)
        cleanup->older->newer = cleanup;
    arena->newest = cleanup;
}

static void unlink_cleanup(struct arena *arena, struct arena_cleanup *cleanup)
{
    if (cleanup->newer != NULL)
        cleanup->newer->older = cleanup->older;
    else
        arena->newest = cleanup->older;
    if (cleanup->older != NULL)
        cleanup->older->newer = cleanup->newer;
}

static void end_arena(struct arena *arena);

/* What is newer than the serial. A destructor may allocate, and may ask for another destructor: it is run next. */
static void run_cleanups(struct arena *arena, uint64_t serial)
{
    bool was_ending = arena->is_ending;
    arena->is_ending = true;
    while (arena->newest != NULL && arena->newest->serial > serial) {
        struct arena_cleanup *cleanup = arena->newest;
        unlink_cleanup(arena, cleanup);
        if (cleanup->function != NULL)
            cleanup->function(cleanup->object);
        else
            end_arena(cleanup->object);
    }
    arena->is_ending = was_ending;
}

/* The arena is in no list any more. */
static void end_arena(struct arena *arena)
{
    run_cleanups(arena, 0);
    struct arena_chunk *first = arena->current;
    while (first->older != NULL)
        first = first->older;
    arena_give_up(arena, first, arena_first_object(arena), 0);
    arena_destroy(arena);
}

/*
 * Whether what is newer than the serial may end: not from one of its own destructors, nor while a sub-arena lives in
 * there that the program said would be gone, nor one that a cursor holds.
 */
static bool may_end(const struct arena *arena, uint64_t serial, const char *function, void *caller)
{
    if (arena->is_ending) {
        misuse_other(section, caller, "%s: arena \"%s\" is ending already, and this is a destructor of it", function,
                     arena_name(arena));
        return false;
    }
    for (const struct arena_cleanup *at = arena->newest; at != NULL && at->serial > serial; at = at->older) {
        const struct arena *child = at->function == NULL ? at->object : NULL;
        if (child != NULL && ((arena->flags & GCA_ARENA_STRICT) != 0 || child->is_lent)) {
            misuse_other(section, caller, "%s: arena \"%s\": its sub-arena \"%s\" %s", function, arena_name(arena),
                         arena_name(child), child->is_lent ? "has an open cursor" : "still lives");
            return false;
        }
    }
    return true;
}

/* ---- the program's calls ---- */

EXPORT gca_arena *gca_arena_new(const gca_arena_options *options)
{
    static const gca_arena_options none;
    if (options == NULL)
        options = &none;
    struct arena *parent = NULL;
    if (options->parent != NULL && (parent = arena_checked(options->parent, "gca_arena_new", CALLER)) == NULL)
        return NULL;
    misuse_register_chunks(own_describe);
    struct arena *arena = arena_create(parent, options->first_bytes);
    if (arena == NULL || (options->budget_bytes != 0 && arena->capacity_bytes > options->budget_bytes)) {
        if (arena != NULL)
            arena_destroy(arena);
        errno = ENOMEM;
        return NULL;
    }
    arena->name = options->name;
    arena->budget_bytes = options->budget_bytes;
    arena->flags = options->flags;
    arena->thread = (options->flags & GCA_ARENA_OWN_THREAD) != 0 ? this_thread() : 0;
    arena->self.object = arena;
    if (parent != NULL)
        link_cleanup(parent, &arena->self);
    return &arena->shared;
}

EXPORT void gca_arena_free(gca_arena *shared)
{
    if (shared == NULL)
        return;
    struct arena *arena = arena_checked(shared, "gca_arena_free", CALLER);
    if (arena == NULL || !may_end(arena, 0, "gca_arena_free", CALLER))
        return;
    if (UNLIKELY(gca_checks != 0))
        dangle_check(arena, "gca_arena_free", CALLER);
    if (arena->parent != NULL)
        unlink_cleanup(arena->parent, &arena->self);
    end_arena(arena);
}

/* The spares that this round did not need go; what it did need is there for the next. */
EXPORT void gca_arena_reset(gca_arena *shared)
{
    struct arena *arena = arena_checked(shared, "gca_arena_reset", CALLER);
    if (arena == NULL || !may_end(arena, 0, "gca_arena_reset", CALLER))
        return;
    run_cleanups(arena, 0);
    arena_drop_spares(arena);
    struct arena_chunk *first = arena->current;
    while (first->older != NULL)
        first = first->older;
    arena_give_up(arena, first, arena_first_object(arena), 0);
    arena->resets++;
}

EXPORT gca_mark gca_arena_mark(gca_arena *shared)
{
    struct arena *arena = arena_checked(shared, "gca_arena_mark", CALLER);
    if (arena == NULL)
        return (gca_mark){0};
    return (gca_mark){shared, arena->current, arena_position(arena), arena->serial, arena->resets};
}

/* A mark whose place is beyond what is handed out now was taken before a rewind to an earlier one. */
static bool mark_is_good(const struct arena *arena, const gca_mark *mark)
{
    if (mark->arena != &arena->shared || mark->resets != arena->resets || mark->serial > arena->serial)
        return false;
    const struct arena_chunk *chunk = arena->current;
    const char *used_end = arena_position(arena);
    for (; chunk != NULL && chunk != mark->chunk; used_end = chunk != NULL ? chunk->used_end : NULL)
        chunk = chunk->older;
    return chunk != NULL && mark->next <= used_end;
}

EXPORT void gca_arena_rewind(gca_arena *shared, gca_mark mark)
{
    struct arena *arena = arena_checked(shared, "gca_arena_rewind", CALLER);
    if (arena == NULL || !may_end(arena, mark.serial, "gca_arena_rewind", CALLER))
        return;
    if (UNLIKELY(!mark_is_good(arena, &mark))) {
        misuse_other(section, CALLER, "gca_arena_rewind: arena \"%s\" was reset, or rewound to an earlier mark",
                     arena_name(arena));
        return;
    }
    run_cleanups(arena, mark.serial);
    arena_give_up(arena, mark.chunk, mark.next, mark.serial);
}

EXPORT int gca_arena_defer(gca_arena *shared, void (*function)(void *object), void *object)
{
    struct arena_cleanup *cleanup = gca_arena_alloc_aligned(shared, sizeof *cleanup, _Alignof(struct arena_cleanup));
    if (cleanup == NULL)
        return -errno;
    *cleanup = (struct arena_cleanup){.function = function, .object = object};
    link_cleanup((struct arena *)shared, cleanup);
    return 0;
}

EXPORT gca_arena *gca_arena_of(const void *address)
{
    struct arena *arena = arena_around(address);
    return arena != NULL ? &arena->shared : NULL;
}

/* ---- allocating, the rare ways ---- */

static void *allocate(gca_arena *shared, size_t size_bytes, size_t align_bytes, void *caller)
{
    struct arena *arena = arena_checked(shared, "gca_arena_alloc", caller);
    if (arena == NULL)
        return NULL;
    void *start = is_power_of_two(align_bytes) ? arena_take(arena, size_bytes + (size_bytes == 0), align_bytes) : NULL;
    if (UNLIKELY(start == NULL))
        errno = is_power_of_two(align_bytes) ? ENOMEM : EINVAL;
    return start;
}

EXPORT void *gca_arena_alloc_slowly(gca_arena *shared, size_t size_bytes, size_t align_bytes)
{
    return allocate(shared, size_bytes, align_bytes, CALLER);
}

EXPORT gca_cursor gca_cursor_open(gca_arena *shared)
{
    struct arena *arena = arena_checked(shared, "gca_cursor_open", CALLER);
    if (arena == NULL)
        return (gca_cursor){0};
    char *next = arena_position(arena);
    arena->is_lent = true;
    arena_set_position(arena, next);
    return (gca_cursor){arena->is_slow ? shared->limit : next, shared->limit, shared};
}

/* The arena that the cursor has, with its place up to date; NULL if there is none. */
static struct arena *take_back(gca_cursor cursor)
{
    struct arena *arena = (struct arena *)cursor.arena;
    if (arena == NULL)
        return NULL;
    char *next = arena->is_slow ? arena->hidden_next : cursor.next;
    arena->is_lent = false;
    arena_set_position(arena, next);
    return arena;
}

EXPORT gca_cursor gca_cursor_alloc_slowly(gca_cursor cursor, size_t size_bytes, size_t align_bytes, void **start_out)
{
    struct arena *arena = take_back(cursor);
    if (arena == NULL)
        return cursor;
    *start_out = allocate(cursor.arena, size_bytes, align_bytes, CALLER);
    return gca_cursor_open(cursor.arena);
}

EXPORT void gca_cursor_close(gca_cursor cursor)
{
    take_back(cursor);
}

/* ---- statistics ---- */

static void add_chunks(const struct arena_chunk *chunk, bool is_spare, gca_arena_stats *stats)
{
    for (; chunk != NULL; chunk = chunk->older) {
        stats->chunks++;
        stats->wasted_bytes += sizeof *chunk;
        if (is_spare)
            continue;
        stats->used_bytes += (size_t)(chunk->used_end - (const char *)(chunk + 1));
        stats->wasted_bytes += (size_t)((const char *)chunk + chunk->usable_bytes - chunk->used_end);
    }
}

EXPORT void gca_arena_get_stats(const gca_arena *shared, gca_arena_stats *stats_out)
{
    struct arena *arena = arena_checked(shared, "gca_arena_get_stats", CALLER);
    gca_arena_stats stats = {0};
    if (arena != NULL) {
        size_t own_bytes = (size_t)(arena_first_object(arena) - (char *)arena);
        stats.capacity_bytes = arena->capacity_bytes;
        stats.charged_bytes = arena->charged_bytes;
        stats.budget_bytes = arena->budget_bytes;
        stats.resets = arena->resets;
        arena->current->used_end = arena_position(arena);
        add_chunks(arena->current, false, &stats);
        add_chunks(arena->singles, false, &stats);
        add_chunks(arena->spares, true, &stats);
        stats.used_bytes -= own_bytes;
        stats.wasted_bytes += own_bytes - (size_t)(arena_chunk_end(arena->current) - arena_position(arena));
        for (const struct arena_cleanup *at = arena->newest; at != NULL; at = at->older) {
            stats.destructors += at->function != NULL;
            stats.sub_arenas += at->function == NULL;
        }
    }
    *stats_out = stats;
}
