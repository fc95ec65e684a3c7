/*
 * own/arena_memory: the chunks of an arena, and what is handed out of them.
 *
 * A chunk is as large as all before it together, within limits, so that there are few and the last is half used at least.
 *
 * With the option `poison` all memory that is not handed out holds a pattern. It is looked at before it is handed out, and
 * when the arena ends: whoever has written there used memory after a reset, or wrote past the end of an object.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "own/arena.h"

#include "base/compiler.h"
#include "base/invariant.h"
#include "base/options.h"
#include "heap/chunk.h"
#include "heap/misuse.h"
#include "os/sanitizer.h"

#include <string.h>

enum { GROWTH_BYTES_MIN = UNIT_BYTES, GROWTH_BYTES_MAX = 4 * 1024 * 1024, POISON = 0xdd, EXACT_ALIGNMENT = 16 };

/* ---- memory that nobody may use ---- */

static void forbid(const struct arena *arena, char *start, char *end)
{
    if (UNLIKELY(arena->is_checked)) {
        os_permit(start, (size_t)(end - start));
        memset(start, POISON, (size_t)(end - start));
    }
    os_forbid(start, (size_t)(end - start));
}

/* One report for each stretch; then it is as it should be. */
COLD static void check_forbidden(const struct arena *arena, char *start, char *end)
{
    os_permit(start, (size_t)(end - start));
    for (char *place = start; place < end; place++)
        if ((uint8_t)*place != POISON) {
            memset(start, POISON, (size_t)(end - start));
            misuse_other("arena misuse", NULL, "memory of arena \"%s\" was written at %p while it was nobody's",
                         arena_name(arena), (void *)place);
            return;
        }
}

static void permit(const struct arena *arena, char *start, char *end)
{
    if (UNLIKELY(arena->is_checked))
        check_forbidden(arena, start, end);
    os_permit(start, (size_t)(end - start));
}

/* ---- chunks ---- */

static bool charge(struct arena *arena, size_t size_bytes)
{
    for (struct arena *payer = arena; payer != NULL; payer = payer->parent)
        if (payer->budget_bytes != 0 && (size_bytes > payer->budget_bytes ||
                                         payer->charged_bytes > payer->budget_bytes - size_bytes))
            return false;
    for (struct arena *payer = arena; payer != NULL; payer = payer->parent)
        payer->charged_bytes += size_bytes;
    return true;
}

static void discharge(struct arena *arena, size_t size_bytes)
{
    for (struct arena *payer = arena; payer != NULL; payer = payer->parent)
        payer->charged_bytes -= size_bytes;
}

/* The budget counts what was asked for; a chunk that turns out larger is within the rounding. */
static struct arena_chunk *take_chunk(struct arena *arena, size_t size_bytes)
{
    size_t usable_bytes;
    if (!charge(arena, size_bytes))
        return NULL;
    struct arena_chunk *chunk = chunk_take(size_bytes, USE_ARENA, &usable_bytes);
    discharge(arena, size_bytes);
    if (chunk == NULL)
        return NULL;
    for (struct arena *payer = arena; payer != NULL; payer = payer->parent)
        payer->charged_bytes += usable_bytes;
    arena->capacity_bytes += usable_bytes;
    *chunk = (struct arena_chunk){.arena = arena, .usable_bytes = usable_bytes};
    forbid(arena, arena_chunk_start(chunk), arena_chunk_end(chunk));
    return chunk;
}

static void put_chunk(struct arena *arena, struct arena_chunk *chunk)
{
    permit(arena, arena_chunk_start(chunk), arena_chunk_end(chunk));
    arena->capacity_bytes -= chunk->usable_bytes;
    discharge(arena, chunk->usable_bytes);
    chunk_put(chunk);
}

static void push(struct arena_chunk **list, struct arena_chunk *chunk)
{
    chunk->older = *list;
    *list = chunk;
}

static struct arena_chunk *pop(struct arena_chunk **list)
{
    struct arena_chunk *chunk = *list;
    *list = chunk->older;
    return chunk;
}

struct arena *arena_create(struct arena *parent, size_t size_bytes)
{
    bool is_checked = options_now()->poison != 0;
    struct arena draft = {.parent = parent, .is_checked = is_checked, .is_slow = is_checked || os_program_is_watched()};
    struct arena_chunk *chunk = take_chunk(&draft, size_bytes < GROWTH_BYTES_MIN ? GROWTH_BYTES_MIN : size_bytes);
    if (chunk == NULL)
        return NULL;
    struct arena *arena = (struct arena *)arena_chunk_start(chunk);
    permit(&draft, (char *)arena, arena_first_object(arena));
    *arena = draft;
    arena->current = chunk;
    chunk->arena = arena;
    arena_set_position(arena, arena_first_object(arena));
    return arena;
}

/* ---- handing out ---- */

void arena_set_position(struct arena *arena, char *next)
{
    char *end = arena_chunk_end(arena->current);
    bool is_hidden = arena->is_slow || arena->is_lent;
    arena->hidden_next = is_hidden ? next : NULL;
    arena->shared = (gca_arena){is_hidden ? end : next, end};
}

static char *aligned(char *place, size_t align_bytes)
{
    return place + (-(uintptr_t)place & (align_bytes - 1));
}

/*
 * Where the next object may begin: for the inline functions at a multiple of GCA_ARENA_STEP_, with poison right behind the last one.
 * AddressSanitizer, by 8 bytes, sees who runs past an object's end if what follows is nobody's.
 */
static char *past_gap(const struct arena *arena, char *end)
{
    enum { GAP_BYTES = 16 };
    char *chunk_end = arena_chunk_end(arena->current);
    if (!os_program_is_watched())
        return arena->is_slow ? end : aligned(end, GCA_ARENA_STEP_);
    return chunk_end - end < GAP_BYTES ? chunk_end : aligned(end, 8) + GAP_BYTES / 2;
}

/* From the current chunk, or NULL. */
static void *take_from_current(struct arena *arena, size_t size_bytes, size_t align_bytes)
{
    char *next = arena_position(arena);
    char *start = aligned(next, align_bytes);
    char *end = arena_chunk_end(arena->current);
    if (start > end || size_bytes > (size_t)(end - start))
        return NULL;
    if (UNLIKELY(arena->is_checked))
        check_forbidden(arena, next, start + size_bytes);
    os_permit(start, size_bytes);
    arena_set_position(arena, past_gap(arena, start + size_bytes));
    return start;
}

static void *take_single(struct arena *arena, size_t size_bytes, size_t align_bytes)
{
    struct arena_chunk *chunk = take_chunk(arena, sizeof *chunk + align_bytes + size_bytes);
    if (chunk == NULL)
        return NULL;
    char *start = aligned(arena_chunk_start(chunk), align_bytes);
    permit(arena, arena_chunk_start(chunk), start + size_bytes);
    chunk->used_end = start + size_bytes;
    chunk->serial = ++arena->serial;
    push(&arena->singles, chunk);
    return start;
}

static size_t growth_bytes(const struct arena *arena)
{
    size_t wanted = arena->capacity_bytes;
    return wanted < GROWTH_BYTES_MIN ? GROWTH_BYTES_MIN : wanted > GROWTH_BYTES_MAX ? GROWTH_BYTES_MAX : wanted;
}

/* What would take most of the next chunk does not end this one. When a budget is nearly used up a small chunk may do. */
static struct arena_chunk *next_chunk(struct arena *arena, size_t needed_bytes)
{
    if (arena->spares != NULL && needed_bytes <= arena->spares->usable_bytes)
        return pop(&arena->spares);
    struct arena_chunk *chunk = take_chunk(arena, growth_bytes(arena));
    return chunk != NULL ? chunk : take_chunk(arena, needed_bytes);
}

NOINLINE void *arena_take(struct arena *arena, size_t size_bytes, size_t align_bytes)
{
    void *start = take_from_current(arena, size_bytes, align_bytes);
    if (start != NULL)
        return start;
    if (size_bytes > BLOCK_BYTES_MAX / 4 || align_bytes > BLOCK_BYTES_MAX / 4)
        return NULL;
    size_t needed_bytes = sizeof(struct arena_chunk) + align_bytes + size_bytes;
    if (needed_bytes > growth_bytes(arena) / 2)
        return take_single(arena, size_bytes, align_bytes);
    struct arena_chunk *chunk = next_chunk(arena, needed_bytes);
    if (chunk == NULL)
        return NULL;
    arena->current->used_end = arena_position(arena);
    push(&arena->current, chunk);
    arena_set_position(arena, arena_chunk_start(chunk));
    return take_from_current(arena, size_bytes, align_bytes);
}

/* ---- giving up ---- */

/* What is not handed out any more is looked at as well: nobody should have written there. */
static void give_up_from(struct arena *arena, struct arena_chunk *chunk, char *start, char *used_end)
{
    if (UNLIKELY(arena->is_checked))
        check_forbidden(arena, used_end, arena_chunk_end(chunk));
    forbid(arena, start, arena_chunk_end(chunk));
}

void arena_give_up(struct arena *arena, struct arena_chunk *chunk, char *next, uint64_t serial)
{
    while (arena->singles != NULL && arena->singles->serial > serial) {
        struct arena_chunk *single = pop(&arena->singles);
        give_up_from(arena, single, arena_chunk_start(single), single->used_end);
        put_chunk(arena, single);
    }
    arena->current->used_end = arena_position(arena);
    while (arena->current != chunk) {
        struct arena_chunk *filled = pop(&arena->current);
        give_up_from(arena, filled, arena_chunk_start(filled), filled->used_end);
        push(&arena->spares, filled);
    }
    give_up_from(arena, chunk, next, chunk->used_end);
    arena_set_position(arena, next);
}

void arena_drop_spares(struct arena *arena)
{
    while (arena->spares != NULL)
        put_chunk(arena, pop(&arena->spares));
}

void arena_destroy(struct arena *arena)
{
    struct arena_chunk *first = arena->current;
    INVARIANT(first->older == NULL && arena->singles == NULL);
    arena_drop_spares(arena);
    discharge(arena->parent, first->usable_bytes);
    os_permit(first, first->usable_bytes);
    chunk_put(first);
}
