/*
 * preload/operators: every C++ operator new and delete, by their Itanium names, so that no C++ runtime is linked.
 *
 * A program may replace some of them, and the standard has the others call those: an array or nothrow new calls new, a
 * sized or array delete calls delete. libstdc++'s own do just that, so where a program has replaced a basic one, our
 * derived ones step aside for libstdc++'s.
 *
 * A failing throwing new calls the program's new-handler until it helps, throws, or there is none; then it throws
 * std::bad_alloc. Both are libstdc++'s, looked up when needed; a program without them can't catch anything, and is ended.
 * A handler may throw out of a nothrow new, which then has to return NULL: C can't catch, so with a handler in place the
 * runtime's own nothrow new is called, whose try block calls our throwing one. Built with -fexceptions, so that the
 * exception passes through.
 */
#include "base/compiler.h"
#include "base/message.h"
#include "heap/allocate.h"
#include "os/thread.h"
#include "preload/export.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum derived_operator {
    NEW_NOTHROW,
    NEW_ARRAY,
    NEW_ARRAY_NOTHROW,
    NEW_ALIGNED_NOTHROW,
    NEW_ARRAY_ALIGNED,
    NEW_ARRAY_ALIGNED_NOTHROW,
    DELETE_NOTHROW,
    DELETE_SIZED,
    DELETE_ARRAY,
    DELETE_ARRAY_NOTHROW,
    DELETE_ARRAY_SIZED,
    DELETE_ALIGNED_NOTHROW,
    DELETE_SIZED_ALIGNED,
    DELETE_ARRAY_ALIGNED,
    DELETE_ARRAY_ALIGNED_NOTHROW,
    DELETE_ARRAY_SIZED_ALIGNED,
    DERIVED_COUNT
};

static const char derived_names[DERIVED_COUNT][36] = {
    [NEW_NOTHROW] = "_ZnwmRKSt9nothrow_t",
    [NEW_ARRAY] = "_Znam",
    [NEW_ARRAY_NOTHROW] = "_ZnamRKSt9nothrow_t",
    [NEW_ALIGNED_NOTHROW] = "_ZnwmSt11align_val_tRKSt9nothrow_t",
    [NEW_ARRAY_ALIGNED] = "_ZnamSt11align_val_t",
    [NEW_ARRAY_ALIGNED_NOTHROW] = "_ZnamSt11align_val_tRKSt9nothrow_t",
    [DELETE_NOTHROW] = "_ZdlPvRKSt9nothrow_t",
    [DELETE_SIZED] = "_ZdlPvm",
    [DELETE_ARRAY] = "_ZdaPv",
    [DELETE_ARRAY_NOTHROW] = "_ZdaPvRKSt9nothrow_t",
    [DELETE_ARRAY_SIZED] = "_ZdaPvm",
    [DELETE_ALIGNED_NOTHROW] = "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    [DELETE_SIZED_ALIGNED] = "_ZdlPvmSt11align_val_t",
    [DELETE_ARRAY_ALIGNED] = "_ZdaPvSt11align_val_t",
    [DELETE_ARRAY_ALIGNED_NOTHROW] = "_ZdaPvSt11align_val_tRKSt9nothrow_t",
    [DELETE_ARRAY_SIZED_ALIGNED] = "_ZdaPvmSt11align_val_t",
};

/* Who a program's calls of the basic operators reach. */
enum basics { BASICS_UNKNOWN, BASICS_OURS, BASICS_REPLACED };

static _Atomic enum basics basics;
IN_FEW_PROCESSES static void *derived_next[DERIVED_COUNT]; /* libstdc++'s, once the basics are known to be replaced */

typedef void new_handler(void);
struct nothrow; /* std::nothrow_t */

COLD static _Noreturn void throw_bad_alloc(void)
{
    void (*throw_it)(void);
    *(void **)&throw_it = dlsym(RTLD_DEFAULT, "_ZSt17__throw_bad_allocv");
    if (throw_it != NULL)
        throw_it();
    message_note("error: operator new: out of memory, and no C++ runtime that could throw std::bad_alloc");
    os_abort();
}

static new_handler *current_handler(void)
{
    new_handler *(*get)(void);
    *(void **)&get = dlsym(RTLD_DEFAULT, "_ZSt15get_new_handlerv");
    return get != NULL ? get() : NULL;
}

static void *try_allocate(size_t size_bytes, size_t align_bytes)
{
    if (size_bytes > BLOCK_BYTES_MAX - align_bytes)
        return NULL;
    return heap_allocate_aligned(size_bytes, align_bytes);
}

NOINLINE static void *new_slowly(size_t size_bytes, size_t align_bytes)
{
    void *block;
    while ((block = try_allocate(size_bytes, align_bytes)) == NULL) {
        new_handler *handler = current_handler();
        if (handler == NULL)
            throw_bad_alloc();
        handler();
    }
    return block;
}

COLD static void *new_nothrow_slowly(size_t size_bytes, const struct nothrow *tag)
{
    void *(*runtime_new)(size_t, const struct nothrow *);
    *(void **)&runtime_new = current_handler() != NULL ? dlsym(RTLD_NEXT, "_ZnwmRKSt9nothrow_t") : NULL;
    return runtime_new != NULL ? runtime_new(size_bytes, tag) : NULL;
}

static void *new_aligned_nothrow(size_t size_bytes, size_t align_bytes, const struct nothrow *tag)
{
    void *block = try_allocate(size_bytes, align_bytes);
    if (LIKELY(block != NULL))
        return block;
    void *(*runtime_new)(size_t, size_t, const struct nothrow *);
    *(void **)&runtime_new =
        current_handler() != NULL ? dlsym(RTLD_NEXT, "_ZnwmSt11align_val_tRKSt9nothrow_t") : NULL;
    return runtime_new != NULL ? runtime_new(size_bytes, align_bytes, tag) : NULL;
}

static ALWAYS_INLINE void *new_throwing(size_t size_bytes)
{
    void *block = heap_allocate(size_bytes);
    return LIKELY(block != NULL) ? block : new_slowly(size_bytes, 1);
}

static ALWAYS_INLINE void *new_nothrow(size_t size_bytes, const struct nothrow *tag)
{
    void *block = heap_allocate(size_bytes);
    return LIKELY(block != NULL) ? block : new_nothrow_slowly(size_bytes, tag);
}

EXPORT void *_Znwm(size_t size_bytes);
EXPORT void *_Znam(size_t size_bytes);
EXPORT void *_ZnwmSt11align_val_t(size_t size_bytes, size_t align_bytes);
EXPORT void _ZdlPv(void *pointer);
EXPORT void _ZdaPv(void *pointer);
EXPORT void _ZdlPvSt11align_val_t(void *pointer, size_t align_bytes);

/* Our own, whatever a program puts before them: a hidden name can't be taken over. */
#define OURS(name) __attribute__((alias(#name), visibility("hidden")))
void *our_new(size_t size_bytes) OURS(_Znwm);
void *our_new_array(size_t size_bytes) OURS(_Znam);
void *our_new_aligned(size_t size_bytes, size_t align_bytes) OURS(_ZnwmSt11align_val_t);
void our_delete(void *pointer) OURS(_ZdlPv);
void our_delete_array(void *pointer) OURS(_ZdaPv);
void our_delete_aligned(void *pointer, size_t align_bytes) OURS(_ZdlPvSt11align_val_t);

/*
 * The loader binds our own reference to an exported name as it binds everybody's. No dlsym(), which would bring pages of
 * libc into every process. (Volatile: a compiler must not reason that a name and its alias are one.)
 */
static bool is_replaced(void *bound, void *ours)
{
    void *volatile first = bound;
    return first != ours;
}

COLD static void find_derived(void)
{
    for (int i = 0; i < DERIVED_COUNT; i++)
        derived_next[i] = dlsym(RTLD_NEXT, derived_names[i]);
}

/*
 * The array forms count as basic for the sized and nothrow array forms, which call them. At the start, since looking up
 * takes the loader's lock; a derived operator may be called before that, though.
 */
__attribute__((constructor)) static void find_basics(void)
{
    bool replaced = is_replaced((void *)_Znwm, (void *)our_new) || is_replaced((void *)_ZdlPv, (void *)our_delete) ||
                    is_replaced((void *)_Znam, (void *)our_new_array) ||
                    is_replaced((void *)_ZdaPv, (void *)our_delete_array) ||
                    is_replaced((void *)_ZnwmSt11align_val_t, (void *)our_new_aligned) ||
                    is_replaced((void *)_ZdlPvSt11align_val_t, (void *)our_delete_aligned);
    if (replaced)
        find_derived();
    atomic_store_explicit(&basics, replaced ? BASICS_REPLACED : BASICS_OURS, memory_order_release);
}

/* libstdc++'s form of the operator where ours must step aside, or NULL. */
static ALWAYS_INLINE void *stand_in(enum derived_operator which)
{
    if (LIKELY(atomic_load_explicit(&basics, memory_order_acquire) == BASICS_OURS))
        return NULL;
    if (atomic_load_explicit(&basics, memory_order_acquire) == BASICS_UNKNOWN)
        find_basics();
    return derived_next[which];
}

/* ---- new ---- */

/* operator new(size_t) */
void *_Znwm(size_t size_bytes)
{
    return new_throwing(size_bytes);
}

/* operator new(size_t, nothrow_t const &) */
EXPORT void *_ZnwmRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag);
void *_ZnwmRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag)
{
    void *(*next)(size_t, const struct nothrow *) = stand_in(NEW_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(size_bytes, tag);
    return new_nothrow(size_bytes, tag);
}

/* operator new(size_t, align_val_t) */
void *_ZnwmSt11align_val_t(size_t size_bytes, size_t align_bytes)
{
    return new_slowly(size_bytes, align_bytes);
}

/* operator new(size_t, align_val_t, nothrow_t const &) */
EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag)
{
    void *(*next)(size_t, size_t, const struct nothrow *) = stand_in(NEW_ALIGNED_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(size_bytes, align_bytes, tag);
    return new_aligned_nothrow(size_bytes, align_bytes, tag);
}

/* operator new[](size_t) */
void *_Znam(size_t size_bytes)
{
    void *(*next)(size_t) = stand_in(NEW_ARRAY);
    if (UNLIKELY(next != NULL))
        return next(size_bytes);
    return new_throwing(size_bytes);
}

/* operator new[](size_t, nothrow_t const &) */
EXPORT void *_ZnamRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag);
void *_ZnamRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag)
{
    void *(*next)(size_t, const struct nothrow *) = stand_in(NEW_ARRAY_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(size_bytes, tag);
    return new_nothrow(size_bytes, tag);
}

/* operator new[](size_t, align_val_t) */
EXPORT void *_ZnamSt11align_val_t(size_t size_bytes, size_t align_bytes);
void *_ZnamSt11align_val_t(size_t size_bytes, size_t align_bytes)
{
    void *(*next)(size_t, size_t) = stand_in(NEW_ARRAY_ALIGNED);
    if (UNLIKELY(next != NULL))
        return next(size_bytes, align_bytes);
    return new_slowly(size_bytes, align_bytes);
}

/* operator new[](size_t, align_val_t, nothrow_t const &) */
EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag)
{
    void *(*next)(size_t, size_t, const struct nothrow *) = stand_in(NEW_ARRAY_ALIGNED_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(size_bytes, align_bytes, tag);
    return new_aligned_nothrow(size_bytes, align_bytes, tag);
}

/* ---- delete ---- */

/* One copy for the forms that are seldom called: all of this is mapped in every process. */
NOINLINE static void delete_rarely(void *pointer)
{
    heap_free(pointer);
}

/* operator delete(void *) */
void _ZdlPv(void *pointer)
{
    heap_free(pointer);
}

/* operator delete(void *, nothrow_t const &) */
EXPORT void _ZdlPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag);
void _ZdlPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag)
{
    void (*next)(void *, const struct nothrow *) = stand_in(DELETE_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(pointer, tag);
    (void)tag;
    delete_rarely(pointer);
}

/* Before it is known whose the basic operators are, or when they are not ours. */
COLD static void delete_sized_by_others(void *pointer, size_t size_bytes, void *caller)
{
    void (*next)(void *, size_t) = stand_in(DELETE_SIZED);
    if (next != NULL)
        next(pointer, size_bytes);
    else
        heap_free_sized_slowly(pointer, size_bytes, SIZED_EXACT, caller);
}

/* operator delete(void *, size_t) */
EXPORT void _ZdlPvm(void *pointer, size_t size_bytes);
void _ZdlPvm(void *pointer, size_t size_bytes)
{
    if (UNLIKELY(atomic_load_explicit(&basics, memory_order_acquire) != BASICS_OURS))
        return delete_sized_by_others(pointer, size_bytes, CALLER);
    heap_free_sized(pointer, size_bytes, SIZED_EXACT, CALLER);
}

/* operator delete(void *, align_val_t) */
void _ZdlPvSt11align_val_t(void *pointer, size_t align_bytes)
{
    (void)align_bytes;
    heap_free(pointer);
}

/* operator delete(void *, align_val_t, nothrow_t const &) */
EXPORT void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag);
void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag)
{
    void (*next)(void *, size_t, const struct nothrow *) = stand_in(DELETE_ALIGNED_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(pointer, align_bytes, tag);
    (void)align_bytes;
    (void)tag;
    delete_rarely(pointer);
}

/* operator delete(void *, size_t, align_val_t) */
EXPORT void _ZdlPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes);
void _ZdlPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes)
{
    void (*next)(void *, size_t, size_t) = stand_in(DELETE_SIZED_ALIGNED);
    if (UNLIKELY(next != NULL))
        return next(pointer, size_bytes, align_bytes);
    (void)align_bytes;
    heap_free_sized_slowly(pointer, size_bytes, SIZED_AT_MOST, CALLER);
}

/* operator delete[](void *) */
void _ZdaPv(void *pointer)
{
    void (*next)(void *) = stand_in(DELETE_ARRAY);
    if (UNLIKELY(next != NULL))
        return next(pointer);
    heap_free(pointer);
}

/* operator delete[](void *, nothrow_t const &) */
EXPORT void _ZdaPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag);
void _ZdaPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag)
{
    void (*next)(void *, const struct nothrow *) = stand_in(DELETE_ARRAY_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(pointer, tag);
    (void)tag;
    delete_rarely(pointer);
}

/* operator delete[](void *, size_t) */
EXPORT void _ZdaPvm(void *pointer, size_t size_bytes);
void _ZdaPvm(void *pointer, size_t size_bytes)
{
    void (*next)(void *, size_t) = stand_in(DELETE_ARRAY_SIZED);
    if (UNLIKELY(next != NULL))
        return next(pointer, size_bytes);
    heap_free_sized_slowly(pointer, size_bytes, SIZED_EXACT, CALLER);
}

/* operator delete[](void *, align_val_t) */
EXPORT void _ZdaPvSt11align_val_t(void *pointer, size_t align_bytes);
void _ZdaPvSt11align_val_t(void *pointer, size_t align_bytes)
{
    void (*next)(void *, size_t) = stand_in(DELETE_ARRAY_ALIGNED);
    if (UNLIKELY(next != NULL))
        return next(pointer, align_bytes);
    (void)align_bytes;
    delete_rarely(pointer);
}

/* operator delete[](void *, align_val_t, nothrow_t const &) */
EXPORT void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag)
{
    void (*next)(void *, size_t, const struct nothrow *) = stand_in(DELETE_ARRAY_ALIGNED_NOTHROW);
    if (UNLIKELY(next != NULL))
        return next(pointer, align_bytes, tag);
    (void)align_bytes;
    (void)tag;
    delete_rarely(pointer);
}

/* operator delete[](void *, size_t, align_val_t) */
EXPORT void _ZdaPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes);
void _ZdaPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes)
{
    void (*next)(void *, size_t, size_t) = stand_in(DELETE_ARRAY_SIZED_ALIGNED);
    if (UNLIKELY(next != NULL))
        return next(pointer, size_bytes, align_bytes);
    (void)align_bytes;
    heap_free_sized_slowly(pointer, size_bytes, SIZED_AT_MOST, CALLER);
}
