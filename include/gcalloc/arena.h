/*
 * gcalloc/arena.h: memory that is handed out bit by bit and given back all at once.
 *
 * An arena belongs to one thread at a time; that is the program's to see to. No function may be called from a signal
 * handler. What returns a pointer returns NULL and sets errno when memory is short (ENOMEM) or the call was wrong (EINVAL).
 * Misuse is reported as that of free() is: see gcalloc(7), "arena misuse".
 */
#ifndef GCALLOC_ARENA_H
#define GCALLOC_ARENA_H

#include <gcalloc/annotate.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the inline functions need; the rest of an arena is its own. */
typedef struct gca_arena {
    char *next;  /* the first free byte; a multiple of GCA_ARENA_STEP_ */
    char *limit; /* a multiple of 16 */
} gca_arena;

enum {
    GCA_ARENA_STEP_ = 8,
    GCA_ARENA_STRICT = 1,    /* to reset, rewind or free it while a sub-arena in question lives is misuse */
    GCA_ARENA_OWN_THREAD = 2 /* it is misuse for another thread than the one that made it */
};

/* All zero, or a NULL for the whole, means the defaults. */
typedef struct gca_arena_options {
    const char *name;     /* for reports; not copied */
    gca_arena *parent;    /* the arena becomes a sub-arena: it ends with this one at the latest */
    size_t first_bytes;   /* of the first chunk; 16 KiB */
    size_t budget_bytes;  /* at most as much memory for it and its sub-arenas; then allocations fail. 0: no limit */
    unsigned flags;
} gca_arena_options;

/* ---- an arena's life ---- */

/* An arena, with its first chunk. NULL and errno: ENOMEM, also when its parent's budget is used up; EINVAL after a report of misuse. */
gca_arena *gca_arena_new(const gca_arena_options *options) GCA_FRESH __attribute__((warn_unused_result));

/* Ends what it holds, newest first: sub-arenas, and destructors are run. NULL is allowed. */
void gca_arena_free(gca_arena *arena) GCA_DROPS(arena, 1);

/* As freeing it, but the arena is ready for use again, and keeps the memory that it had last used. */
void gca_arena_reset(gca_arena *arena) GCA_CHANGES(arena);

/* A moment of an arena's life, to return to. */
typedef struct gca_mark {
    gca_arena *arena;
    void *chunk;
    char *next;
    uint64_t serial, resets;
} gca_mark;

gca_mark gca_arena_mark(gca_arena *arena) GCA_READS(arena);

/* What the arena got since the mark ends, newest first. Earlier marks stay good, later ones do not. */
void gca_arena_rewind(gca_arena *arena, gca_mark mark) GCA_CHANGES(arena);

/*
 * Calls function(object) when the arena is freed or reset, or rewound to a mark before this: newest first. Returns 0 or
 * -ENOMEM; then function is not called ever.
 */
int gca_arena_defer(gca_arena *arena, void (*function)(void *object), void *object) GCA_READS(arena);

typedef struct gca_arena_stats {
    size_t used_bytes;     /* handed out, with what alignment took */
    size_t capacity_bytes; /* in chunks */
    size_t wasted_bytes;   /* in chunks, but lost: ends of full ones, and the arena's own notes */
    size_t chunks;
    size_t sub_arenas, destructors; /* not those of sub-arenas */
    size_t charged_bytes;  /* what counts for the budget: capacity with all sub-arenas */
    size_t budget_bytes;
    uint64_t resets;
} gca_arena_stats;

void gca_arena_get_stats(const gca_arena *arena, gca_arena_stats *stats_out) GCA_READS(arena);

/* The arena that an address lies in, or NULL. */
gca_arena *gca_arena_of(const void *address);

/* ---- allocating ---- */

/* The way on from the inline functions, for anything. */
void *gca_arena_alloc_slowly(gca_arena *arena, size_t size_bytes, size_t align_bytes);

#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(void const volatile *start, size_t size_bytes);
#define GCA_HANDED_OUT_(start, size_bytes) __asan_unpoison_memory_region(start, size_bytes)
#else
#define GCA_HANDED_OUT_(start, size_bytes) ((void)0)
#endif

static inline void *gca_arena_alloc_aligned(gca_arena *arena, size_t size_bytes, size_t align_bytes) GCA_READS(arena) GCA_FRESH;
static inline void *gca_arena_alloc(gca_arena *arena, size_t size_bytes) GCA_READS(arena) GCA_FRESH;
static inline void *gca_arena_zeroed(gca_arena *arena, size_t count, size_t size_bytes, size_t align_bytes) GCA_READS(arena) GCA_FRESH;

/* Most of what is aligned is so where the last one ended: then no allocation waits for arithmetic on the one before. */
static inline char *gca_arena_start_(char *next, size_t align_bytes)
{
    return align_bytes <= GCA_ARENA_STEP_ ? next : next + (-(uintptr_t)next & (align_bytes - 1));
}
static inline char *gca_arena_end_(char *start, size_t size_bytes)
{
    return start + ((size_bytes + GCA_ARENA_STEP_ - 1) & ~(size_t)(GCA_ARENA_STEP_ - 1));
}

/*
 * Memory that holds anything; align_bytes is a power of two. Sizes are rounded up to 8 bytes. NULL and errno, here and below: ENOMEM, also
 * over the budget; EINVAL for other alignments, or after a report of misuse.
 */
static inline void *gca_arena_alloc_aligned(gca_arena *arena, size_t size_bytes, size_t align_bytes)
{
    char *start = gca_arena_start_(arena->next, align_bytes);
    /* Up to the alignment that limit has, start is at most limit. A size of 0 wraps around. */
    if (__builtin_expect(align_bytes > 16 || size_bytes - 1 >= (size_t)(arena->limit - start), 0))
        return gca_arena_alloc_slowly(arena, size_bytes, align_bytes);
    arena->next = gca_arena_end_(start, size_bytes);
    GCA_HANDED_OUT_(start, size_bytes);
    return start;
}

/* The same, aligned for any object. */
static inline void *gca_arena_alloc(gca_arena *arena, size_t size_bytes)
{
    return gca_arena_alloc_aligned(arena, size_bytes, 16);
}

/* count objects, all zero. */
static inline void *gca_arena_zeroed(gca_arena *arena, size_t count, size_t size_bytes, size_t align_bytes)
{
    size_t total_bytes;
    void *start;
    if (__builtin_mul_overflow(count, size_bytes, &total_bytes))
        return gca_arena_alloc_slowly(arena, SIZE_MAX, align_bytes);
    start = gca_arena_alloc_aligned(arena, total_bytes, align_bytes);
    return __builtin_expect(start != NULL, 1) ? memset(start, 0, total_bytes) : NULL;
}

/* T *, one or `count` of them in a row, all zero. */
#define gca_arena_make(arena, T) ((T *)gca_arena_zeroed(arena, 1, sizeof(T), __alignof__(T)))
#define gca_arena_array(arena, T, count) ((T *)gca_arena_zeroed(arena, count, sizeof(T), __alignof__(T)))

/*
 * The arena's end kept in registers, for loops that allocate much: between open and close nothing else may allocate
 * from the arena, end it or look at it. Never take the address of a gca_cursor that is in use.
 */
typedef struct gca_cursor {
    char *next, *limit;
    gca_arena *arena;
} gca_cursor;

gca_cursor gca_cursor_open(gca_arena *arena);
void gca_cursor_close(gca_cursor cursor);
gca_cursor gca_cursor_alloc_slowly(gca_cursor cursor, size_t size_bytes, size_t align_bytes, void **start_out);

static inline void *gca_cursor_alloc(gca_cursor *cursor, size_t size_bytes, size_t align_bytes)
{
    char *start = gca_arena_start_(cursor->next, align_bytes);
    if (__builtin_expect(align_bytes > 16 || size_bytes - 1 >= (size_t)(cursor->limit - start), 0)) {
        void *elsewhere = NULL;
        *cursor = gca_cursor_alloc_slowly(*cursor, size_bytes, align_bytes, &elsewhere);
        return elsewhere;
    }
    cursor->next = gca_arena_end_(start, size_bytes);
    GCA_HANDED_OUT_(start, size_bytes);
    return start;
}

/* T *, not cleared. */
#define gca_cursor_make(cursor, T) ((T *)gca_cursor_alloc(cursor, sizeof(T), __alignof__(T)))

/* ---- scopes ---- */

static inline void gca_arena_free_at(gca_arena **arena)
{
    gca_arena_free(*arena);
}

/* A declaration: `name` is a new arena, or NULL, until the end of the block that this stands in. */
#define gca_with_arena(name) gca_arena *name __attribute__((cleanup(gca_arena_free_at))) = gca_arena_new(NULL)

#ifdef __cplusplus
}
#endif

#ifdef GCA_CHECK
#define GCA_CHECK_ARENA_
#include <gcalloc/check.h>
#endif

#endif
