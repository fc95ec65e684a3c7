/* A shared object that allocates through frames of its own, for a program that loads and unloads it over and over. */
#include <stdlib.h>

static volatile int after;

__attribute__((noinline)) static void *inner(unsigned depth, size_t size_bytes)
{
    void *block = depth == 0 ? malloc(size_bytes) : inner(depth - 1, size_bytes);
    after++;
    return block;
}

void *plugin_allocate(unsigned depth, size_t size_bytes);
void *plugin_allocate(unsigned depth, size_t size_bytes)
{
    void *block = inner(depth, size_bytes);
    after++;
    return block;
}

__attribute__((constructor)) static void load(void)
{
    free(inner(3, 100));
}

__attribute__((destructor)) static void unload(void)
{
    free(inner(3, 100));
}
