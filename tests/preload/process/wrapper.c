/*
 * A profiler's way to see malloc, to be preloaded before the library: it defines malloc, finds the next one by dlsym at
 * its first call, when nothing is set up yet and dlsym itself may allocate.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static char early[65536];
static size_t early_used;
static int looking;

unsigned long wrapper_calls(void);
static unsigned long calls;

unsigned long wrapper_calls(void)
{
    return calls;
}

static void look(void)
{
    looking = 1;
    next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    looking = 0;
}

static void *early_block(size_t size)
{
    size_t start = (early_used + 15) & ~(size_t)15;

    if (start + size > sizeof early)
        abort();
    early_used = start + size;
    return early + start;
}

static int is_early(const char *block)
{
    return block >= early && block < early + sizeof early;
}

void *malloc(size_t size)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    if (next_malloc == NULL && !looking)
        look();
    return looking ? early_block(size) : next_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (next_malloc == NULL && !looking)
        look();
    return looking ? early_block(count * size) : next_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    void *copy;

    if (!is_early(block)) {
        if (next_malloc == NULL && !looking)
            look();
        return next_realloc(block, size);
    }
    copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, block, size);
    return copy;
}

void free(void *block)
{
    if (block != NULL && !is_early(block))
        next_free(block);
}
