/*
 * A program that opens libgcalloc.so while it runs, instead of preloading it. Its own malloc stays libc's; the library
 * may refuse or work through dlsym, but nothing may break, also after dlclose and in threads.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/workload.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef void *malloc_function(size_t);
typedef void *realloc_function(void *, size_t);
typedef void free_function(void *);

static malloc_function *late_malloc;
static realloc_function *late_realloc;
static free_function *late_free;

static void *use_both(void *unused)
{
    for (unsigned i = 1; i < 2000; i++) {
        size_t size = (size_t)i * 131 % 200000;
        char *late = late_malloc(size), *own = malloc(size);

        require(late != NULL && own != NULL && late != own);
        pattern_fill(late, size, i);
        pattern_fill(own, size, i + 1);
        late = late_realloc(late, size * 2 + 1);
        require(pattern_holds(late, size, i) && pattern_holds(own, size, i + 1));
        late_free(late);
        free(own);
    }
    return unused;
}

static void open_and_use(const char *path, int flags)
{
    void *library = dlopen(path, flags);
    pthread_t threads[2];

    if (library == NULL) {
        printf("refused: %s\n", dlerror());
        return;
    }
    late_malloc = (malloc_function *)dlsym(library, "malloc");
    late_realloc = (realloc_function *)dlsym(library, "realloc");
    late_free = (free_function *)dlsym(library, "free");
    require(late_malloc != NULL && late_realloc != NULL && late_free != NULL);
    use_both(NULL);
    for (int i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, use_both, NULL) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    workload_run(1, 3000);
    late_free(malloc(100)); /* a foreign block, as any of libc's */
    require(dlclose(library) == 0);
    workload_run(2, 3000);
}

int main(int count, char **arguments)
{
    require(count == 3);
    open_and_use(arguments[1], RTLD_NOW | (arguments[2][0] == 'g' ? RTLD_GLOBAL : RTLD_LOCAL));
    open_and_use(arguments[1], RTLD_LAZY);
    return 0;
}
