/*
 * dlopen and dlclose of an object that allocates, normally and with RTLD_DEEPBIND, where its malloc is libc's: its
 * blocks come to the program, which frees and resizes them with ours. Threads meanwhile use its TLS, which ld.so
 * allocates with our calloc.
 */
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef void *malloc_function(size_t);
typedef void *memalign_function(size_t, size_t);
typedef void free_function(void *);
typedef char *strdup_function(const char *);
typedef char *thread_local_function(void);

static const size_t sizes[] = {0, 1, 24, 100, 1000, 5000, 70000, 200000, 3 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void *symbol(void *plugin, const char *name)
{
    void *address = dlsym(plugin, name);

    require(address != NULL);
    return address;
}

/* Some of the plugin's blocks are freed, some resized first, by this thread and by others. */
static void *take_over(void *plugin)
{
    malloc_function *allocate = (malloc_function *)symbol(plugin, "plugin_malloc");
    memalign_function *align = (memalign_function *)symbol(plugin, "plugin_memalign");
    strdup_function *duplicate = (strdup_function *)symbol(plugin, "plugin_strdup");
    char *text = duplicate("some text");

    require(strcmp(text, "some text") == 0);
    text = realloc(text, 30000);
    require(strcmp(text, "some text") == 0);
    free(text);
    for (unsigned i = 0; i < SIZES; i++) {
        char *block = allocate(sizes[i]), *aligned = align(4096, sizes[i] + 1);

        require(malloc_usable_size(block) >= sizes[i]);
        pattern_fill(block, sizes[i], i);
        block = realloc(block, sizes[i] * 2 + 10);
        require(block != NULL && pattern_holds(block, sizes[i], i));
        free(block);
        free(allocate(sizes[i]));
        memset(aligned, 1, sizes[i] + 1);
        free(aligned);
    }
    return NULL;
}

static void *use_thread_local(void *plugin)
{
    thread_local_function *data = (thread_local_function *)symbol(plugin, "plugin_thread_local");

    memset(data(), 1, 3000);
    workload_run(1, 100);
    return NULL;
}

/* The other way: what the program allocates, the plugin frees. Only where both see the same malloc. */
static void give_away(void *plugin)
{
    free_function *release = (free_function *)symbol(plugin, "plugin_free");

    for (unsigned i = 0; i < SIZES; i++)
        release(malloc(sizes[i]));
}

static void load_and_use(const char *path, int flags)
{
    void *plugin = dlopen(path, flags);
    pthread_t threads[3];

    require(plugin != NULL);
    take_over(plugin);
    if ((flags & RTLD_DEEPBIND) == 0)
        give_away(plugin);
    for (int i = 0; i < 3; i++)
        require(pthread_create(&threads[i], NULL, i == 0 ? take_over : use_thread_local, plugin) ==
                0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    require(dlclose(plugin) == 0);
}

int main(int count, char **arguments)
{
    subject_require(arguments);
    require(count == 2);
    for (int round = 0; round < 50; round++) {
        load_and_use(arguments[1], RTLD_NOW);
        load_and_use(arguments[1], RTLD_LAZY | RTLD_GLOBAL);
        load_and_use(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
    }
    require(subject_verify());
    return 0;
}
