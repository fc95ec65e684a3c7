/*
 * gcalloc/check.h: with GCA_CHECK, what checkers are told of libc, and simpler pictures of what they could not follow.
 * No program is built from them. The other headers include this one at their ends, and get what is for them.
 */
#include <gcalloc/check_libc.h>

#ifdef GCA_CHECKS_MEMORY_

/*
 * An object of an arena is a place in what the arena points to, so it goes when that goes, and it can't be passed to free().
 * An arena that ends with its block is a local variable: compilers know that nothing of it may leave. So clang's analyzer sees it, and
 * gcc with -O2, where only addresses count; gcc's path analysis is better off with the code as it is.
 */
#if defined __clang_analyzer__
#define GCA_CHECK_INSIDE_(arena) ((arena)->next)
#define GCA_CHECK_PLACE_(T, arena, size_bytes)                                                     \
    ((T *)(void *)GCA_CHECK_INSIDE_(arena) + gca_check_place_(size_bytes))
#elif defined __OPTIMIZE__
#define GCA_CHECK_PLACE_(T, arena, size_bytes) ((T *)(void *)(arena) + gca_check_place_(size_bytes))
#endif

#if defined GCA_CHECK_ARENA_ && !defined GCA_CHECKED_ARENA_
#define GCA_CHECKED_ARENA_

/* One with options may be a sub-arena, which need not be freed. */
gca_arena *gca_check_arena_new_(const gca_arena_options *options) GCA_OWNED_OUTSIDE(gca_arena_free);
#define gca_arena_new(options)                                                                     \
    __builtin_choose_expr(__builtin_constant_p(options), gca_check_arena_new_(options),            \
                          (gca_arena_new)(options))

#ifdef GCA_CHECK_PLACE_
size_t gca_check_place_(size_t size_bytes);
void gca_check_fill_(void *memory);
#define gca_arena_alloc(arena, size_bytes) ((void *)GCA_CHECK_PLACE_(char, arena, size_bytes))
#define gca_arena_alloc_aligned(arena, size_bytes, align_bytes)                                    \
    gca_arena_alloc(arena, (size_bytes) + (align_bytes))
#undef gca_arena_make
#define gca_arena_make(arena, T) GCA_CHECK_PLACE_(T, arena, sizeof(T))
#undef gca_arena_array
#define gca_arena_array(arena, T, count) GCA_CHECK_PLACE_(T, arena, sizeof(T) * (size_t)(count))
#undef gca_with_arena
#define gca_with_arena(name) GCA_CHECK_LOCAL_(gca_arena *name, name)
#define GCA_CHECK_LOCAL_(declaration, name)                                                        \
    char name##_memory_[64];                                                                       \
    gca_arena name##_itself_ = {name##_memory_, NULL};                                             \
    gca_check_fill_(name##_memory_);                                                               \
    declaration = &name##_itself_
#endif

#ifdef GCA_CHECK_INSIDE_
void gca_check_end_(void *memory) GCA_CHECKS_LEAKS_(ownership_takes(malloc, 1));
char *gca_check_memory_(void);

static inline void gca_check_renew_(gca_arena *arena)
{
    if (arena == NULL || arena->limit == NULL)
        return;
    gca_check_end_(arena->next);
    arena->next = gca_check_memory_();
}

static inline void gca_check_arena_free_(gca_arena *arena)
{
    if (arena != NULL && arena->limit != NULL)
        gca_check_end_(arena->next);
    gca_arena_free(arena);
}
#define gca_arena_reset(arena) gca_check_renew_(arena)
#define gca_arena_free(arena) gca_check_arena_free_(arena)
#endif
#endif

#if defined GCA_CHECK_SCRATCH_ && defined GCA_CHECK_PLACE_ && !defined GCA_CHECKED_SCRATCH_
#define GCA_CHECKED_SCRATCH_
#undef gca_with_scratch
#define gca_with_scratch(name, avoid)                                                              \
    GCA_CHECK_LOCAL_(gca_arena *const name, name) + ((avoid) == NULL ? 0 : 0)
#endif

#if defined GCA_CHECK_TEXT_ && defined GCA_CHECK_PLACE_ && !defined GCA_CHECKED_TEXT_
#define GCA_CHECKED_TEXT_
int gca_check_format_(const char *format, ...) __attribute__((format(printf, 1, 2)));
int gca_check_texts_(const void *first, ...) __attribute__((sentinel));
#define gca_arena_strdup(arena, text) GCA_CHECK_PLACE_(char, arena, strlen(text))
#define gca_arena_strndup(arena, text, length) ((void)(text), GCA_CHECK_PLACE_(char, arena, length))
#define gca_arena_memdup(arena, bytes, size_bytes)                                                 \
    ((void)(bytes), gca_arena_alloc(arena, size_bytes))
#define gca_arena_printf(arena, ...)                                                               \
    ((void)gca_check_format_(__VA_ARGS__), GCA_CHECK_PLACE_(char, arena, 1))
#define gca_arena_concat(arena, ...)                                                               \
    ((void)gca_check_texts_(__VA_ARGS__), GCA_CHECK_PLACE_(char, arena, 1))
#endif

/* What takes no pointer to const would have to be thought to keep or free it. */
#if defined GCA_CHECK_POOL_ && !defined GCA_CHECKED_POOL_
#define GCA_CHECKED_POOL_
gca_handle gca_check_handle_add_(const gca_handles *table, void *object);
void *gca_check_handle_remove_(const gca_handles *table, gca_handle handle);
void *gca_check_pool_get_(const gca_pool *pool);
void gca_check_pool_put_(const gca_pool *pool, void *object) GCA_DROPS(object, 2);
#define gca_handle_add(table, object) gca_check_handle_add_(table, object)
#define gca_handle_remove(table, handle) gca_check_handle_remove_(table, handle)
#define gca_pool_get(pool) gca_check_pool_get_(pool)
#define gca_pool_put(pool, object) gca_check_pool_put_(pool, object)
#endif

/*
 * Variables that end with their block have cleanup functions, which clang's analyzer knows nothing of, and which have gcc's
 * lose sight of the variable. So these lead to memory that may be kept somewhere; gcc's warnings at -O2 see them dropped.
 */
#if defined GCA_CHECK_OWN_ && !defined GCA_CHECKED_OWN_
#define GCA_CHECKED_OWN_
#undef gca_with_mut
#define gca_with_mut(name, p) __typeof__(&*(p)) name = (p)
#undef gca_with
#undef gca_scoped
#ifdef GCA_CHECK_INSIDE_
/* What a borrow leads to is local: neither it nor the address of a member may leave the block. */
void gca_check_lent_(void *memory, const void *object);
#define gca_with(name, p)                                                                          \
    char name##_memory_[64];                                                                       \
    gca_check_lent_(name##_memory_, p);                                                            \
    const __typeof__(*(p)) *name = (const void *)name##_memory_
#undef gca_defer_as
#define gca_defer_as(guard, f, p)                                                                  \
    gca_deferred guard __attribute__((cleanup(gca_run_deferred_at), unused)) = {f, p};             \
    gca_check_kept_(guard.argument)
#else
#define gca_with(name, p) const __typeof__(*(p)) *name = (p)
#endif
void gca_check_kept_(void *object);
#if defined GCA_CHECK_PLACE_ && !defined GCA_CHECK_INSIDE_
static inline void gca_check_drop_at_(void *variable)
{
    gca_drop(*(void **)variable);
}
#define gca_scoped(T, v, e) T v __attribute__((cleanup(gca_check_drop_at_))) = (e)
#else
#define gca_scoped(T, v, e)                                                                        \
    T v = (e);                                                                                     \
    gca_check_kept_(v)
#endif
#endif

#endif
