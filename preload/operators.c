/*
 * preload/operators: every C++ operator new and delete, by their Itanium names, so that no C++ runtime is linked.
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
#include <stddef.h>

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

/* ---- new ---- */

/* operator new(size_t) */
EXPORT void *_Znwm(size_t size_bytes);
void *_Znwm(size_t size_bytes)
{
    return new_throwing(size_bytes);
}

/* operator new(size_t, nothrow_t const &) */
EXPORT void *_ZnwmRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag);
void *_ZnwmRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag)
{
    return new_nothrow(size_bytes, tag);
}

/* operator new(size_t, align_val_t) */
EXPORT void *_ZnwmSt11align_val_t(size_t size_bytes, size_t align_bytes);
void *_ZnwmSt11align_val_t(size_t size_bytes, size_t align_bytes)
{
    return new_slowly(size_bytes, align_bytes);
}

/* operator new(size_t, align_val_t, nothrow_t const &) */
EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag)
{
    return new_aligned_nothrow(size_bytes, align_bytes, tag);
}

/* operator new[](size_t) */
EXPORT void *_Znam(size_t size_bytes);
void *_Znam(size_t size_bytes)
{
    return new_throwing(size_bytes);
}

/* operator new[](size_t, nothrow_t const &) */
EXPORT void *_ZnamRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag);
void *_ZnamRKSt9nothrow_t(size_t size_bytes, const struct nothrow *tag)
{
    return new_nothrow(size_bytes, tag);
}

/* operator new[](size_t, align_val_t) */
EXPORT void *_ZnamSt11align_val_t(size_t size_bytes, size_t align_bytes);
void *_ZnamSt11align_val_t(size_t size_bytes, size_t align_bytes)
{
    return new_slowly(size_bytes, align_bytes);
}

/* operator new[](size_t, align_val_t, nothrow_t const &) */
EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size_bytes, size_t align_bytes, const struct nothrow *tag)
{
    return new_aligned_nothrow(size_bytes, align_bytes, tag);
}

/* ---- delete ---- */

/* operator delete(void *) */
EXPORT void _ZdlPv(void *pointer);
void _ZdlPv(void *pointer)
{
    heap_free(pointer);
}

/* operator delete(void *, nothrow_t const &) */
EXPORT void _ZdlPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag);
void _ZdlPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag)
{
    (void)tag;
    heap_free(pointer);
}

/* operator delete(void *, size_t) */
EXPORT void _ZdlPvm(void *pointer, size_t size_bytes);
void _ZdlPvm(void *pointer, size_t size_bytes)
{
    heap_free_sized(pointer, size_bytes, SIZED_EXACT, CALLER);
}

/* operator delete(void *, align_val_t) */
EXPORT void _ZdlPvSt11align_val_t(void *pointer, size_t align_bytes);
void _ZdlPvSt11align_val_t(void *pointer, size_t align_bytes)
{
    (void)align_bytes;
    heap_free(pointer);
}

/* operator delete(void *, align_val_t, nothrow_t const &) */
EXPORT void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag);
void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag)
{
    (void)align_bytes;
    (void)tag;
    heap_free(pointer);
}

/* operator delete(void *, size_t, align_val_t) */
EXPORT void _ZdlPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes);
void _ZdlPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes)
{
    (void)align_bytes;
    heap_free_sized(pointer, size_bytes, SIZED_AT_MOST, CALLER);
}

/* operator delete[](void *) */
EXPORT void _ZdaPv(void *pointer);
void _ZdaPv(void *pointer)
{
    heap_free(pointer);
}

/* operator delete[](void *, nothrow_t const &) */
EXPORT void _ZdaPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag);
void _ZdaPvRKSt9nothrow_t(void *pointer, const struct nothrow *tag)
{
    (void)tag;
    heap_free(pointer);
}

/* operator delete[](void *, size_t) */
EXPORT void _ZdaPvm(void *pointer, size_t size_bytes);
void _ZdaPvm(void *pointer, size_t size_bytes)
{
    heap_free_sized(pointer, size_bytes, SIZED_EXACT, CALLER);
}

/* operator delete[](void *, align_val_t) */
EXPORT void _ZdaPvSt11align_val_t(void *pointer, size_t align_bytes);
void _ZdaPvSt11align_val_t(void *pointer, size_t align_bytes)
{
    (void)align_bytes;
    heap_free(pointer);
}

/* operator delete[](void *, align_val_t, nothrow_t const &) */
EXPORT void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align_bytes, const struct nothrow *tag)
{
    (void)align_bytes;
    (void)tag;
    heap_free(pointer);
}

/* operator delete[](void *, size_t, align_val_t) */
EXPORT void _ZdaPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes);
void _ZdaPvmSt11align_val_t(void *pointer, size_t size_bytes, size_t align_bytes)
{
    (void)align_bytes;
    heap_free_sized(pointer, size_bytes, SIZED_AT_MOST, CALLER);
}
