/*
 * gcalloc/check.h: with GCA_CHECK, what checkers are told of libc, and simpler pictures of what they could not follow.
 * No program is built from them. The other headers include this one at their ends, and get what is for them.
 */
#if defined GCA_CHECKS_BORROWS_ && !defined GCA_CHECK_LIBC_
#define GCA_CHECK_LIBC_

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void *malloc(size_t size_bytes) GCA_FRESH;
void *calloc(size_t count, size_t size_bytes) GCA_FRESH;
void *aligned_alloc(size_t align_bytes, size_t size_bytes) GCA_FRESH;
void *realloc(void *block, size_t size_bytes) GCA_CHANGES(block) GCA_FRESH;
char *strdup(const char *text) GCA_FRESH;
char *strndup(const char *text, size_t length) GCA_FRESH;
void free(void *block) GCA_TAKES(block);

int pthread_mutex_lock(pthread_mutex_t *mutex) GCA_LOCKS(mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex)
    GCA_CHECKS_(try_acquire_capability(0, GCA_P_(mutex)->lock));
int pthread_mutex_unlock(pthread_mutex_t *mutex) GCA_UNLOCKS(mutex);
int pthread_rwlock_rdlock(pthread_rwlock_t *lock) GCA_LOCKS_SHARED(lock);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock) GCA_LOCKS(lock);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
    GCA_CHECKS_(try_acquire_shared_capability(0, GCA_P_(lock)->lock));
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
    GCA_CHECKS_(try_acquire_capability(0, GCA_P_(lock)->lock));
int pthread_rwlock_unlock(pthread_rwlock_t *lock) GCA_UNLOCKS(lock);
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) GCA_NEEDS(mutex);
#endif

#ifdef GCA_CHECKS_MEMORY_

/*
 * What libc does with a pointer that it gets, where a checker has to fear more. A thread that could not be made has not got its argument. A
 * function that gets the address of a member does not keep the object around it; clang's analyzer fears so, and forgets the object.
 */
#ifndef GCA_CHECK_LIBC_
#define GCA_CHECK_LIBC_
#include <pthread.h>
#include <stdio.h>

void gca_check_keep_(void *object) GCA_CHECKS_LEAKS_(ownership_holds(malloc, 1));

static inline int gca_check_thread_(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument)
{
    int result = pthread_create(thread, attributes, work, NULL);
    if (result == 0)
        gca_check_keep_(argument);
    return result;
}
#define pthread_create(thread, attributes, work, argument) gca_check_thread_(thread, attributes, work, argument)

#ifdef __clang_analyzer__
int gca_check_number_(void);
int gca_check_scanned_(const void *from, const char *format);
void gca_check_fill_(void *memory);
#define GCA_CHECK_STORES_(name, T)                                                                 \
    static inline void gca_check_store_##name##_(T *at)                                            \
    {                                                                                              \
        *at = (T)gca_check_number_();                                                              \
    }
GCA_CHECK_STORES_(int, int)
GCA_CHECK_STORES_(unsigned, unsigned)
GCA_CHECK_STORES_(long, long)
GCA_CHECK_STORES_(unsigned_long, unsigned long)
GCA_CHECK_STORES_(float, float)
GCA_CHECK_STORES_(double, double)
#define GCA_CHECK_STORE_(at)                                                                       \
    _Generic((at), int *: gca_check_store_int_, unsigned *: gca_check_store_unsigned_,             \
             long *: gca_check_store_long_, unsigned long *: gca_check_store_unsigned_long_,       \
             float *: gca_check_store_float_, double *: gca_check_store_double_,                   \
             default: gca_check_fill_)(at)
#define GCA_CHECK_SCAN1_(from, format, a) (GCA_CHECK_STORE_(a), gca_check_scanned_(from, format))
#define GCA_CHECK_SCAN2_(from, format, a, b) (GCA_CHECK_STORE_(a), GCA_CHECK_SCAN1_(from, format, b))
#define GCA_CHECK_SCAN3_(from, format, a, b, c) (GCA_CHECK_STORE_(a), GCA_CHECK_SCAN2_(from, format, b, c))
#define GCA_CHECK_SCAN4_(from, format, a, b, c, d) (GCA_CHECK_STORE_(a), GCA_CHECK_SCAN3_(from, format, b, c, d))
#define GCA_CHECK_SCAN_OF_(_1, _2, _3, _4, _5, _6, _7, _8, _9, name, ...) name
/* With more than four places, or none, it is the function. */
#define GCA_CHECK_SCAN_(function, from, ...)                                                       \
    GCA_CHECK_SCAN_OF_(__VA_ARGS__, function, function, function, function, GCA_CHECK_SCAN4_,      \
                       GCA_CHECK_SCAN3_, GCA_CHECK_SCAN2_, GCA_CHECK_SCAN1_, function, 0)          \
    (from, __VA_ARGS__)
#define sscanf(text, ...) GCA_CHECK_SCAN_(sscanf, text, __VA_ARGS__)
#define fscanf(file, ...) GCA_CHECK_SCAN_(fscanf, file, __VA_ARGS__)
#define pthread_mutex_init(mutex, attributes) ((void)(mutex), (void)(attributes), gca_check_number_())
#define pthread_mutex_destroy(mutex) ((void)(mutex), 0)
#define pthread_mutex_lock(mutex) ((void)(mutex), 0)
#define pthread_mutex_unlock(mutex) ((void)(mutex), 0)
#define pthread_cond_init(condition, attributes) ((void)(condition), (void)(attributes), gca_check_number_())
#define pthread_cond_destroy(condition) ((void)(condition), 0)
#endif
#endif

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
