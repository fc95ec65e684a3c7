/*
 * A shared object for the tests that load one: its constructor and destructor allocate and free, and it hands out
 * blocks of whatever malloc it sees.
 */
#include <stdlib.h>
#include <string.h>

static char *kept;

__attribute__((constructor)) static void load(void)
{
    kept = malloc(1000);
    memset(kept, 'k', 1000);
    free(calloc(10, 100));
}

__attribute__((destructor)) static void unload(void)
{
    free(realloc(kept, 5000));
}

void *plugin_malloc(size_t size_bytes);
void *plugin_malloc(size_t size_bytes)
{
    return malloc(size_bytes);
}

void *plugin_memalign(size_t alignment, size_t size_bytes);
void *plugin_memalign(size_t alignment, size_t size_bytes)
{
    void *block = NULL;

    return posix_memalign(&block, alignment, size_bytes) == 0 ? block : NULL;
}

void plugin_free(void *block);
void plugin_free(void *block)
{
    free(block);
}

/* A block of libc's own making, by libc's own malloc where this object is bound deeply. */
char *plugin_strdup(const char *text);
char *plugin_strdup(const char *text)
{
    return strdup(text);
}

_Thread_local char plugin_thread_data[3000];

char *plugin_thread_local(void);
char *plugin_thread_local(void)
{
    return plugin_thread_data;
}
