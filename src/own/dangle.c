/*
 * own/dangle: who still points into an arena that ends.
 *
 * Uses os, base, heap, gc. Locks: through own/scan.
 */
#include "own/dangle.h"

#include "base/compiler.h"
#include "base/format.h"
#include "heap/chunk.h"
#include "heap/layout.h"
#include "os/maps.h"
#include "os/tasks.h"
#include "os/thread.h"
#include "own/arena.h"
#include "own/export.h"
#include "own/found.h"
#include "own/scan.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/audit.h"

#include <errno.h>
#include <string.h>

enum { NAMED_MAX = 8, TEXT_BYTES = 1536 };

static const uint64_t ALWAYS_NS = 200000000;

static _Atomic uint64_t looked_ns;

struct search {
    struct arena *arena;
    struct found *found;
};

/* The arena, or one inside of it. */
static bool is_within(const struct arena *arena, const struct arena *outer)
{
    while (arena != NULL && arena != outer)
        arena = arena->parent;
    return arena != NULL;
}

static const struct arena *arena_at(const void *address)
{
    const struct arena_chunk *chunk = chunk_of(address, USE_ARENA);
    return chunk != NULL ? chunk->arena : NULL;
}

/* The arena's own record is what the program ends it by. */
static bool is_record(const struct arena *arena, uintptr_t value)
{
    struct arena_chunk *chunk = chunk_of((const void *)value, USE_ARENA);
    bool is_first = (const char *)arena > (const char *)chunk && (const char *)arena < arena_chunk_end(chunk);
    char *first = is_first ? arena_first_object((struct arena *)(uintptr_t)arena) : arena_chunk_start(chunk);
    return value < (uintptr_t)first;
}

static void on_found(const struct scan_place *place, uintptr_t value, void *context)
{
    struct search *search = context;
    const struct arena *target = arena_at((const void *)value);
    if (target == NULL || !is_within(target, search->arena) || is_record(target, value))
        return;
    if (place->where == SCAN_ARENA && is_within(arena_at(place->holder), search->arena))
        return;
    found_add(search->found, place, value);
}

static int search(struct arena *arena, struct found *found)
{
    struct search search = {arena, found};
    struct scan scan = {.found = on_found, .context = &search};
    scan.low = heap_layout.slots_start;
    scan.high = scan.low + atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
    return scan_all(&scan);
}

EXPORT long gca_arena_pointers(gca_arena *shared, void (*visit)(const gca_pointer *pointer, void *context), void *context)
{
    struct arena *arena = arena_checked(shared, "gca_arena_pointers", CALLER);
    if (arena == NULL)
        return -EINVAL;
    struct found *found = found_take();
    int result = search(arena, found);
    long count = result != 0 ? result : (long)found->count;
    struct found_item *items = found_items(found);
    size_t told = result == 0 ? found_told(found) : 0;
    for (size_t i = 0; i < told && visit != NULL; i++) {
        gca_pointer pointer = found_pointer(&items[i]);
        visit(&pointer, context);
    }
    found_put(found);
    return count;
}

/* ---- the report ---- */

static void add_pointer(struct text *text, const struct found_item *item)
{
    struct os_mapping mapping;
    gca_pointer pointer = found_pointer(item);
    text_add(text, "  ");
    if (pointer.where == GCA_WHERE_BLOCK) {
        own_describe_object(text, pointer.holder);
        text_add(text, " at offset %zu", pointer.offset);
    } else if (pointer.where == GCA_WHERE_ARENA || pointer.where == GCA_WHERE_POOL) {
        own_describe(text, pointer.holder);
        text_add(text, ", %p at offset %zu", pointer.holder, pointer.offset);
    } else if (pointer.where == GCA_WHERE_STACK) {
        text_add(text, "a stack, at %p", pointer.holder);
    } else if (os_mapping_find((uintptr_t)pointer.holder, &mapping) == 0 && mapping.name[0] == '/') {
        const char *slash = strrchr(mapping.name, '/');
        text_add(text, "static data of %s+0x%lx", slash + 1,
                 (uintptr_t)pointer.holder - mapping.start + mapping.file_offset);
    } else {
        text_add(text, "static or mapped data at %p", pointer.holder);
    }
    text_add(text, ", to %p\n", pointer.target);
}

static bool is_on_a_stack(const struct found_item *item)
{
    return found_pointer(item).where == GCA_WHERE_STACK;
}

static void report(const struct arena *arena, const struct found *found, size_t others, const char *function, void *caller)
{
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    const struct found_item *items = found_items(found);
    size_t named = 0;
    for (size_t i = 0; i < found_told(found) && named < NAMED_MAX; i++)
        if (!is_on_a_stack(&items[i]) && ++named != 0)
            add_pointer(&text, &items[i]);
    for (size_t i = 0; i < found_told(found) && named < NAMED_MAX; i++)
        if (is_on_a_stack(&items[i]) && ++named != 0)
            add_pointer(&text, &items[i]);
    own_report(&(struct own_report){.section = "dangling pointer", .caller = caller, .is_checked = true, .lines = text.bytes},
               "%s: %zu pointer%s into arena \"%s\" will dangle", function, others, others == 1 ? "" : "s",
               arena_name(arena));
}

/* Who ends arenas all the time looks a tenth of its time, at most. */
static bool may_look(void)
{
    static _Atomic uint64_t first_ns;
    uint64_t now_ns = os_clock_ns(), none = 0;
    atomic_compare_exchange_strong(&first_ns, &none, now_ns);
    return looked_ns < ALWAYS_NS || looked_ns < (now_ns - first_ns) / 10;
}

/* The stack of a thread that has ended is kept for the next one, and looks like any memory of no file. */
static bool may_be_a_stack(const struct found_item *item)
{
    struct os_mapping mapping;
    gca_pointer pointer = found_pointer(item);
    return pointer.where == GCA_WHERE_STATIC && os_tasks_count() > 1 &&
           os_mapping_find((uintptr_t)pointer.holder, &mapping) == 0 && mapping.name[0] != '/';
}

/* A local variable that still says where something was is no mistake by itself: stacks are named beside others only. */
COLD void dangle_check(struct arena *arena, const char *function, void *caller)
{
    if (!may_look())
        return;
    uint64_t start_ns = os_clock_ns();
    struct found *found = found_take();
    if (search(arena, found) == 0) {
        size_t others = 0;
        for (size_t i = 0; i < found_told(found); i++)
            others += !is_on_a_stack(&found_items(found)[i]) && !may_be_a_stack(&found_items(found)[i]);
        if (others != 0)
            report(arena, found, others, function, caller);
    }
    found_put(found);
    looked_ns += os_clock_ns() - start_ns;
}
