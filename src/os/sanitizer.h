/*
 * os/sanitizer: what AddressSanitizer is to know of memory that is not malloc's: when we are compiled with it, and when
 * a program is that uses us. Without it, nothing.
 */
#ifndef OS_SANITIZER_H
#define OS_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OS_HAS_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define OS_HAS_ADDRESS_SANITIZER
#endif

/* NULL in a program without it. */
#ifdef OS_HAS_ADDRESS_SANITIZER
#define OS_WHERE_THERE_IS_ONE
#else
#define OS_WHERE_THERE_IS_ONE __attribute__((weak))
#endif
void __asan_poison_memory_region(void const volatile *start, size_t size_bytes) OS_WHERE_THERE_IS_ONE;
void __asan_unpoison_memory_region(void const volatile *start, size_t size_bytes) OS_WHERE_THERE_IS_ONE;

/* Whether a program that we are not compiled like is watched: what is inline in public headers may not be, in some of it. */
static inline bool os_program_is_watched(void)
{
#ifdef OS_HAS_ADDRESS_SANITIZER
    return false;
#else
    return __asan_poison_memory_region != NULL;
#endif
}

static inline bool os_is_watched(void)
{
#ifdef OS_HAS_ADDRESS_SANITIZER
    return true;
#else
    return os_program_is_watched();
#endif
}

static inline void os_forbid(const void *start, size_t size_bytes)
{
    if (os_is_watched())
        __asan_poison_memory_region(start, size_bytes);
}

static inline void os_permit(const void *start, size_t size_bytes)
{
    if (os_is_watched())
        __asan_unpoison_memory_region(start, size_bytes);
}

#endif
