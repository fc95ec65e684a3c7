/*
 * base/invariant: what must hold, whatever the program does.
 *
 * INVARIANT is always on and stands only where it is O(1) and off the fast path. DEBUG_CHECK is compiled in by
 * --enable-debug. A broken one is our bug: it says which and aborts.
 */
#ifndef BASE_INVARIANT_H
#define BASE_INVARIANT_H

#include "base/compiler.h"

_Noreturn void invariant_broken(const char *what, const char *file, int line);

#define INVARIANT(condition)                                                                                          \
    do {                                                                                                              \
        if (UNLIKELY(!(condition)))                                                                                   \
            invariant_broken(#condition, __FILE__, __LINE__);                                                         \
    } while (0)

#ifdef GCA_DEBUG
#define DEBUG_CHECK(condition) INVARIANT(condition)
#else
#define DEBUG_CHECK(condition) ((void)sizeof(condition))
#endif

#endif
