/*
 * unit/sanitizers: what a test can't do when ThreadSanitizer watches. It knows no threads that a child of fork starts,
 * and nothing that it watches may run after it has taken leave of a thread, in the last round of destructors. And what neither
 * it nor AddressSanitizer allows: to read all memory, their own included, which may not be read or holds addresses, too.
 */
#ifndef TESTS_UNIT_SANITIZERS_H
#define TESTS_UNIT_SANITIZERS_H

#include "os/sanitizer.h"

#include <limits.h>
#include <stdbool.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TESTS_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define TESTS_UNDER_TSAN 1
#endif

#if defined(TESTS_UNDER_TSAN) || defined(OS_HAS_ADDRESS_SANITIZER)
enum { ALL_MEMORY_IS_THE_PROGRAMS = false };
#else
enum { ALL_MEMORY_IS_THE_PROGRAMS = true };
#endif

#ifdef TESTS_UNDER_TSAN
enum { DESTRUCTOR_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS - 1, CHILDREN_START_THREADS = false };
#else
enum { DESTRUCTOR_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS, CHILDREN_START_THREADS = true };
#endif

#endif
