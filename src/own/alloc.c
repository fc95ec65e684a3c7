/*
 * own/alloc: where memory comes from, as a value.
 *
 * What an allocator needs to know is its context; nothing is kept here.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "gcalloc/alloc.h"

#include "base/bits.h"
#include "heap/allocate.h"
#include "heap/collector.h"
#include "os/memory.h"
#include "os/sanitizer.h"
#include "own/export.h"
#include "own/pool.h"

#include <errno.h>
#include <stdint.h>

enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024 };

/* Where a block can't be resized: another, its contents, and the old one goes. */
static void *move(const gca_alloc *from, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    void *moved = from->alloc(from->context, new_bytes, align_bytes);
    if (moved == NULL)
        return NULL;
    size_t copied_bytes = old_bytes < new_bytes ? old_bytes : new_bytes;
    memcpy(moved, block, copied_bytes);
    heap_collector_copied(moved, copied_bytes);
    from->free(from->context, block, old_bytes);
    return moved;
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* ---- malloc's heap ---- */

static void *system_alloc(void *context, size_t size_bytes, size_t align_bytes)
{
    (void)context;
    void *block = size_bytes <= BLOCK_BYTES_MAX - align_bytes ? heap_allocate_aligned(size_bytes, align_bytes) : NULL;
    return block != NULL ? block : out_of_memory();
}

static void system_free(void *context, void *block, size_t size_bytes)
{
    (void)context;
    (void)size_bytes;
    heap_free(block);
}

/* realloc keeps no alignment but malloc's. */
static void *system_resize(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    (void)context;
    void *resized = NULL;
    if (align_bytes > BLOCK_ALIGNMENT) {
        gca_alloc self = gca_alloc_system();
        return move(&self, block, old_bytes, new_bytes, align_bytes);
    }
    int result = heap_resize(block, new_bytes, CALLER, &resized);
    if (result != 0)
        errno = -result;
    return resized;
}

EXPORT gca_alloc gca_alloc_system(void)
{
    return (gca_alloc){system_alloc, system_resize, system_free, NULL, GCA_ALLOC_FREES | GCA_ALLOC_THREADS};
}

/* ---- an arena ---- */

static void *arena_alloc(void *context, size_t size_bytes, size_t align_bytes)
{
    return gca_arena_alloc_aligned(context, size_bytes, align_bytes);
}

/* The newest object of the arena's; never while its place is hidden. */
static bool is_newest(const gca_arena *arena, char *block, size_t size_bytes)
{
    return arena->next != arena->limit && arena->next == gca_arena_end_(block, size_bytes);
}

static void arena_free(void *context, void *block, size_t size_bytes)
{
    gca_arena *arena = context;
    if (is_newest(arena, block, size_bytes)) {
        arena->next = block;
        os_forbid(block, size_bytes);
    }
}

static void *arena_resize(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    gca_arena *arena = context;
    if (is_newest(arena, block, old_bytes) && new_bytes <= (size_t)(arena->limit - (char *)block)) {
        arena->next = gca_arena_end_(block, new_bytes);
        os_forbid(block, old_bytes);
        os_permit(block, new_bytes);
        return block;
    }
    if (new_bytes <= old_bytes)
        return block;
    gca_alloc self = gca_alloc_arena(arena);
    return move(&self, block, old_bytes, new_bytes, align_bytes);
}

EXPORT gca_alloc gca_alloc_arena(gca_arena *arena)
{
    return (gca_alloc){arena_alloc, arena_resize, arena_free, arena, 0};
}

/* ---- a pool ---- */

static bool fits_pool(const void *context, size_t size_bytes, size_t align_bytes)
{
    const struct pool *pool = context;
    if (size_bytes <= pool->object_bytes && align_bytes <= pool->align_bytes)
        return true;
    errno = EINVAL;
    return false;
}

static void *pool_alloc(void *context, size_t size_bytes, size_t align_bytes)
{
    return fits_pool(context, size_bytes, align_bytes) ? gca_pool_get(context) : NULL;
}

static void *pool_resize(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    (void)old_bytes;
    return fits_pool(context, new_bytes, align_bytes) ? block : NULL;
}

static void pool_free(void *context, void *block, size_t size_bytes)
{
    (void)size_bytes;
    gca_pool_put(context, block);
}

EXPORT gca_alloc gca_alloc_pool(gca_pool *pool)
{
    return (gca_alloc){pool_alloc, pool_resize, pool_free, pool, GCA_ALLOC_FREES};
}

/* ---- a stack ---- */

static void *stack_alloc(void *context, size_t size_bytes, size_t align_bytes)
{
    gca_stack *stack = context;
    size_t skipped_bytes = -(uintptr_t)stack->next & (align_bytes - 1);
    size_t room = (size_t)(stack->limit - stack->next);
    if (skipped_bytes > room || size_bytes > room - skipped_bytes)
        return out_of_memory();
    char *block = stack->next + skipped_bytes;
    stack->next = block + size_bytes;
    return block;
}

static void stack_free(void *context, void *block, size_t size_bytes)
{
    gca_stack *stack = context;
    if (stack->next == (char *)block + size_bytes)
        stack->next = block;
}

static void *stack_resize(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    gca_stack *stack = context;
    if (stack->next == (char *)block + old_bytes && new_bytes <= (size_t)(stack->limit - (char *)block)) {
        stack->next = (char *)block + new_bytes;
        return block;
    }
    if (new_bytes <= old_bytes)
        return block;
    gca_alloc self = gca_alloc_stack(stack);
    return move(&self, block, old_bytes, new_bytes, align_bytes);
}

EXPORT gca_alloc gca_alloc_stack(gca_stack *stack)
{
    return (gca_alloc){stack_alloc, stack_resize, stack_free, stack, 0};
}

/* ---- pinned pages ---- */

static size_t pinned_page_bytes(const void *context)
{
    return context != NULL ? HUGE_PAGE_BYTES : os_page_bytes();
}

static void *pinned_alloc(void *context, size_t size_bytes, size_t align_bytes)
{
    size_t page_bytes = pinned_page_bytes(context);
    void *block;
    if (size_bytes > BLOCK_BYTES_MAX / 2 || align_bytes > BLOCK_BYTES_MAX / 2)
        return out_of_memory();
    size_t mapped_bytes = round_up(size_bytes, page_bytes);
    if (os_reserve(mapped_bytes, align_bytes > page_bytes ? align_bytes : page_bytes, &block) != 0)
        return out_of_memory();
    if (os_commit(block, mapped_bytes) != 0) {
        os_unreserve(block, mapped_bytes);
        return out_of_memory();
    }
    if (context != NULL)
        os_set_huge_pages(block, mapped_bytes, true);
    if (os_lock_pages(block, mapped_bytes) != 0) {
        os_unreserve(block, mapped_bytes);
        return out_of_memory();
    }
    return block;
}

static void pinned_free(void *context, void *block, size_t size_bytes)
{
    os_unreserve(block, round_up(size_bytes, pinned_page_bytes(context)));
}

static void *pinned_resize(void *context, void *block, size_t old_bytes, size_t new_bytes, size_t align_bytes)
{
    size_t page_bytes = pinned_page_bytes(context);
    if (new_bytes <= BLOCK_BYTES_MAX / 2 && round_up(old_bytes, page_bytes) == round_up(new_bytes, page_bytes))
        return block;
    gca_alloc self = gca_alloc_pinned(context != NULL ? GCA_PINNED_HUGE : 0);
    return move(&self, block, old_bytes, new_bytes, align_bytes);
}

/* The context is not NULL when huge pages are wanted; what it points to is of no interest. */
EXPORT gca_alloc gca_alloc_pinned(unsigned flags)
{
    static char huge;
    void *context = (flags & GCA_PINNED_HUGE) != 0 ? &huge : NULL;
    return (gca_alloc){pinned_alloc, pinned_resize, pinned_free, context, GCA_ALLOC_FREES | GCA_ALLOC_THREADS};
}
