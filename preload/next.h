/*
 * preload/next: the function behind a wrapper, and how to call it.
 *
 * Not found by dlsym(), which takes the loader's lock: wrapped calls are made in signal handlers, and in children of fork
 * where a thread that is gone may hold it. Nothing is looked up for a program that does not make the call.
 */
#ifndef PRELOAD_NEXT_H
#define PRELOAD_NEXT_H

#include "base/compiler.h"
#include "gc/region.h"

enum next_name {
#define NEXT(name) NEXT_##name,
#include "preload/next.def"
#undef NEXT
    NEXT_COUNT
};

typedef void next_any(void);

extern next_any *next_table[NEXT_COUNT];

/* Looks a function up and remembers it. If there is none, as in an older libc, it is one that fails with ENOSYS. */
next_any *next_find(enum next_name name);

static inline next_any *next_function(enum next_name name)
{
    next_any *function = next_table[name];
    return LIKELY(function != 0) ? function : next_find(name);
}

/* Calls it with the arguments given, in a region while the collector is on. What it does not take is 0. */
long next_call(long a, long b, long c, long d, long e, enum next_name name);
long next_call_6(long a, long b, long c, long d, long e, long f, enum next_name name);
long next_call_7(long a, long b, long c, long d, long e, long f, long g, enum next_name name);

#endif
