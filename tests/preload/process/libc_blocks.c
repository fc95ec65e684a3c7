/*
 * Blocks of the real libc malloc, found in libc by dlsym as some programs do, in every place it keeps blocks: the brk
 * heap, a mapping of their own, the arena of another thread. Our free, realloc and malloc_usable_size must know them.
 */
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

static const size_t sizes[] = {0, 1, 24, 100, 1000, 5000, 70000, 140000, 3 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void *(*libc_malloc)(size_t);
static void *(*libc_memalign)(size_t, size_t);

static void *use_all(void *unused)
{
    for (int round = 0; round < 20; round++)
        for (unsigned i = 0; i < SIZES; i++) {
            char *block = libc_malloc(sizes[i]), *aligned = libc_memalign(256, sizes[i]),
                 *other = libc_malloc(sizes[i]);

            pattern_fill(block, sizes[i], i);
            pattern_fill(aligned, sizes[i], i + 1);
            require(malloc_usable_size(block) >= sizes[i] &&
                    malloc_usable_size(aligned) >= sizes[i]);
            block = realloc(block, sizes[i] + 3000);
            require(block != NULL && pattern_holds(block, sizes[i], i));
            aligned = realloc(aligned, sizes[i] / 2 + 1);
            require(aligned != NULL && pattern_holds(aligned, sizes[i] / 2, i + 1));
            free(block);
            free(aligned);
            require(realloc(other, opaque_size(0)) == NULL);
        }
    return unused;
}

int main(int count, char **arguments)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    pthread_t threads[4];

    (void)count;
    subject_require(arguments);
    libc_malloc = (void *(*)(size_t))dlsym(libc, "malloc");
    libc_memalign = (void *(*)(size_t, size_t))dlsym(libc, "memalign");
    require(libc_malloc != NULL && libc_memalign != NULL);
    require(!subject_is_gcalloc() || libc_malloc != &malloc);
    use_all(NULL);
    for (int i = 0; i < 4; i++)
        require(pthread_create(&threads[i], NULL, use_all, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    require(subject_verify());
    return 0;
}
