/*
 * support/opaque: hides from the compiler where a pointer comes from, so that a test may do what a
 * broken program does (free twice, write past the end) without a warning and without being
 * optimised away.
 */
#ifndef TESTS_SUPPORT_OPAQUE_H
#define TESTS_SUPPORT_OPAQUE_H

#include <stddef.h>

static inline void *opaque(const void *pointer)
{
    void *hidden = (void *)(size_t)pointer;

    __asm__ volatile("" : "+r"(hidden) : : "memory");
    return hidden;
}

static inline size_t opaque_size(size_t size)
{
    __asm__ volatile("" : "+r"(size) : : "memory");
    return size;
}

#endif
