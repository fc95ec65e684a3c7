/*
 * preload/malloc: the malloc family, with the semantics of ISO C, POSIX and glibc, where they say different things
 * glibc's.
 *
 * free() and its kin leave errno alone. Every failure sets it. Nothing here knows how a block is found.
 */
#include "base/bits.h"
#include "base/compiler.h"
#include "heap/allocate.h"
#include "heap/foreign.h"
#include "heap/lookup.h"
#include "os/memory.h"
#include "preload/export.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

COLD static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static inline void *or_errno(void *block)
{
    return LIKELY(block != NULL) ? block : out_of_memory();
}

NOINLINE static void *malloc_slowly(size_t size_bytes)
{
    return or_errno(heap_allocate_slowly(size_bytes));
}

/* heap_allocate(), with a slow way that sets errno. Both ways on are tail calls. */
EXPORT void *malloc(size_t size_bytes)
{
    if (UNLIKELY(!class_is_quick(size_bytes)))
        return malloc_slowly(size_bytes);
    struct buffer *buffer = buffer_ready(class_of(size_bytes));
    return LIKELY(buffer != NULL) ? buffer_take(buffer) : malloc_slowly(size_bytes);
}

EXPORT void free(void *pointer)
{
    heap_free(pointer);
}

EXPORT void free_sized(void *pointer, size_t size_bytes)
{
    heap_free_sized_slowly(pointer, size_bytes, SIZED_AT_MOST, CALLER);
}

EXPORT void free_aligned_sized(void *pointer, size_t align_bytes, size_t size_bytes)
{
    (void)align_bytes;
    heap_free_sized_slowly(pointer, size_bytes, SIZED_AT_MOST, CALLER);
}

EXPORT void *calloc(size_t count, size_t size_bytes)
{
    size_t total_bytes;
    if (UNLIKELY(__builtin_mul_overflow(count, size_bytes, &total_bytes)))
        return out_of_memory();
    return or_errno(heap_allocate_zeroed(total_bytes));
}

/* As glibc: a size of 0 frees and returns NULL without an error. A wrong pointer gives EINVAL after its report. */
static void *resize(void *pointer, size_t size_bytes, void *caller)
{
    if (pointer == NULL)
        return or_errno(heap_allocate(size_bytes));
    void *block = NULL;
    int result = heap_resize(pointer, size_bytes, caller, &block);
    if (UNLIKELY(result != 0))
        errno = -result;
    return block;
}

EXPORT void *realloc(void *pointer, size_t size_bytes)
{
    return resize(pointer, size_bytes, CALLER);
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size_bytes)
{
    size_t total_bytes;
    if (UNLIKELY(__builtin_mul_overflow(count, size_bytes, &total_bytes)))
        return out_of_memory();
    return resize(pointer, total_bytes, CALLER);
}

/* The size is checked before rounding or alignment can make it wrap. */
static void *allocate_aligned(size_t align_bytes, size_t size_bytes)
{
    if (size_bytes > BLOCK_BYTES_MAX - align_bytes)
        return out_of_memory();
    return or_errno(heap_allocate_aligned(size_bytes, align_bytes));
}

/* glibc's memalign rounds a wrong alignment up to the next power of two, and refuses what can't be rounded. */
EXPORT void *memalign(size_t align_bytes, size_t size_bytes)
{
    if (align_bytes > BLOCK_BYTES_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    if (!is_power_of_two(align_bytes))
        align_bytes = align_bytes == 0 ? 1 : (size_t)2 << bit_highest(align_bytes);
    return allocate_aligned(align_bytes, size_bytes);
}

EXPORT void *aligned_alloc(size_t align_bytes, size_t size_bytes)
{
    return memalign(align_bytes, size_bytes);
}

/* Returns the error and leaves errno and, on failure, *block_out alone. */
EXPORT int posix_memalign(void **block_out, size_t align_bytes, size_t size_bytes)
{
    if (!is_power_of_two(align_bytes) || align_bytes % sizeof(void *) != 0)
        return EINVAL;
    if (align_bytes > BLOCK_BYTES_MAX || size_bytes > BLOCK_BYTES_MAX - align_bytes)
        return ENOMEM;
    void *block = heap_allocate_aligned(size_bytes, align_bytes);
    if (block == NULL)
        return ENOMEM;
    *block_out = block;
    return 0;
}

EXPORT void *valloc(size_t size_bytes)
{
    return allocate_aligned(os_page_bytes(), size_bytes);
}

EXPORT void *pvalloc(size_t size_bytes)
{
    size_t page_bytes = os_page_bytes();
    if (size_bytes > BLOCK_BYTES_MAX - 2 * page_bytes)
        return out_of_memory();
    return allocate_aligned(page_bytes, round_up(size_bytes, page_bytes));
}

EXPORT size_t malloc_usable_size(void *pointer)
{
    if (pointer == NULL)
        return 0;
    return heap_contains(pointer) ? lookup_usable_size(pointer) : foreign_usable_size(pointer);
}

/* glibc's own names for the same, which a few programs call or look up. */
EXPORT void *__libc_malloc(size_t size_bytes) __attribute__((alias("malloc")));
EXPORT void __libc_free(void *pointer) __attribute__((alias("free")));
EXPORT void cfree(void *pointer) __attribute__((alias("free")));
EXPORT void *__libc_calloc(size_t count, size_t size_bytes) __attribute__((alias("calloc")));
EXPORT void *__libc_realloc(void *pointer, size_t size_bytes) __attribute__((alias("realloc")));
EXPORT void *__libc_memalign(size_t align_bytes, size_t size_bytes) __attribute__((alias("memalign")));
EXPORT void *__libc_valloc(size_t size_bytes) __attribute__((alias("valloc")));
EXPORT void *__libc_pvalloc(size_t size_bytes) __attribute__((alias("pvalloc")));
