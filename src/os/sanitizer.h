/* os/sanitizer: what AddressSanitizer is to know of memory that is not malloc's. Without it, nothing. */
#ifndef OS_SANITIZER_H
#define OS_SANITIZER_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OS_HAS_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define OS_HAS_ADDRESS_SANITIZER
#endif

#ifdef OS_HAS_ADDRESS_SANITIZER
void __asan_poison_memory_region(void const volatile *start, size_t size_bytes);
void __asan_unpoison_memory_region(void const volatile *start, size_t size_bytes);

static inline void os_forbid(const void *start, size_t size_bytes)
{
    __asan_poison_memory_region(start, size_bytes);
}

static inline void os_permit(const void *start, size_t size_bytes)
{
    __asan_unpoison_memory_region(start, size_bytes);
}
#else
static inline void os_forbid(const void *start, size_t size_bytes)
{
    (void)start;
    (void)size_bytes;
}

static inline void os_permit(const void *start, size_t size_bytes)
{
    (void)start;
    (void)size_bytes;
}
#endif

#endif
