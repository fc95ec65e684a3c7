/*
 * 10,000 threads that live for a moment and leave blocks behind, freed by others later or never by anyone else's count:
 * what an exited thread held must find a new owner, so memory stays where it was after the first hundreds.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 10000, AT_ONCE = 4, LEFT = 40, WARM = 1000, GROWTH_KIB_MAX = 4096 };

struct legacy {
    void *blocks[LEFT];
    size_t sizes[LEFT];
};

static void *live_briefly(void *context)
{
    struct legacy *legacy = context;

    for (unsigned i = 0; i < LEFT; i++) {
        legacy->sizes[i] = ((uintptr_t)legacy / 64 + i * 37) % 3000;
        legacy->blocks[i] = malloc(legacy->sizes[i]);
        pattern_fill(legacy->blocks[i], legacy->sizes[i], i);
    }
    workload_run_small(LEFT, 30, 2000);
    return NULL;
}

static void inherit(struct legacy *legacy)
{
    for (unsigned i = 0; i < LEFT; i++) {
        require(pattern_holds(legacy->blocks[i], legacy->sizes[i], i));
        free(legacy->blocks[i]);
    }
}

int main(int count, char **arguments)
{
    static struct legacy legacies[AT_ONCE];
    size_t warm_kib = 0, end_kib;

    (void)count;
    subject_require(arguments);
    for (int made = 0; made < THREADS; made += AT_ONCE) {
        pthread_t threads[AT_ONCE];

        for (int i = 0; i < AT_ONCE; i++)
            require(pthread_create(&threads[i], NULL, live_briefly, &legacies[i]) == 0);
        for (int i = 0; i < AT_ONCE; i++) {
            pthread_join(threads[i], NULL);
            inherit(&legacies[i]);
        }
        if (made == WARM)
            warm_kib = resident_kib();
    }
    end_kib = resident_kib();
    printf("%zu KiB after %d threads, %zu KiB after %d\n", warm_kib, WARM, end_kib, THREADS);
    require(end_kib < warm_kib + GROWTH_KIB_MAX);
    require(subject_verify());
    return 0;
}
