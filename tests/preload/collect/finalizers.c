/*
 * finalizers ROUNDS: weak references and finalizers while threads come and go, fork, free, and collect.
 *
 * Each thread makes objects, keeps some, loses some and frees some, and looks at weak references to all of them: what those
 * give must be whole. One thread runs finalizers: each object is finalized at most once, never while somebody keeps it, never
 * when it was freed. In the end nearly all are accounted for.
 */
#include "gcalloc/gc.h"
#include "gcalloc/heap.h"
#include "support/require.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, KEPT = 64, WATCHED = 256, STRAYS_MAX = 200, CHILD_ROUNDS = 500 };

enum { ALIVE = 0x600d, KEPT_NOW = 0x1ce, GONE = 0xdead };

struct object {
    _Atomic int state;
    int number;
    struct object *owned;
    char load[80];
};

static _Atomic size_t made, finalized, freed;
static _Atomic bool done;
static int key; /* what finalizers are given */

static void on_final(void *block, void *data)
{
    struct object *object = block;

    require(data == &key);
    require(atomic_exchange(&object->state, GONE) == ALIVE);
    require(object->load[0] == (char)object->number && object->load[79] == (char)object->number);
    if (object->owned != NULL) /* owners first: what it owns is still whole */
        require(object->owned->state == ALIVE || object->owned->state == KEPT_NOW);
    atomic_fetch_add(&finalized, 1);
}

static struct object *object_new(uint32_t number)
{
    struct object *object = malloc(sizeof *object);

    require(object != NULL);
    *object = (struct object){.state = ALIVE, .number = (int)number};
    memset(object->load, (char)number, sizeof object->load);
    atomic_fetch_add(&made, 1);
    return object;
}

static void set_final(struct object *object, gca_finalizer_order order)
{
    require(gca_finalizer_set(object, on_final, &key, order) == 0);
}

static void look(const gca_weak_ref *ref)
{
    struct object *object = ref != NULL ? gca_weak_ref_get(ref) : NULL;

    if (object != NULL) {
        require(object->state == ALIVE || object->state == KEPT_NOW);
        require(object->load[79] == (char)object->number);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 8;
}

static void turn(struct object **kept, gca_weak_ref **watched, uint32_t *seed, uint32_t number)
{
    struct object *object = object_new(number);
    size_t place = next_random(seed) % KEPT;
    gca_weak_ref **reference = &watched[next_random(seed) % WATCHED];

    set_final(object, number % 4 == 0 ? GCA_FINALIZE_TOGETHER : GCA_FINALIZE_OWNERS_FIRST);
    if (next_random(seed) % 3 == 0)
        free(*reference);
    *reference = gca_weak_ref_new(object);
    require(*reference != NULL && gca_weak_ref_get(*reference) == object);
    if (number % 3 == 0) {
        object->owned = object_new(number);
        set_final(object->owned, GCA_FINALIZE_OWNERS_FIRST);
    }
    if (number % 2 == 0) { /* kept until another takes its place */
        if (kept[place] != NULL)
            kept[place]->state = ALIVE;
        object->state = KEPT_NOW;
        kept[place] = object;
    } else if (number % 7 == 0 && object->owned == NULL) {
        object->state = GONE;
        free(object);
        atomic_fetch_add(&freed, 1);
        require(gca_weak_ref_get(*reference) == NULL);
    }
    look(watched[next_random(seed) % WATCHED]);
}

static void *work(void *argument)
{
    uint32_t seed = (uint32_t)(uintptr_t)argument, rounds = seed;
    struct object *kept[KEPT] = {NULL};
    gca_weak_ref *watched[WATCHED] = {NULL};

    for (uint32_t i = 0; i < rounds; i++)
        turn(kept, watched, &seed, i);
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i] != NULL)
            kept[i]->state = ALIVE;
    return NULL;
}

static void *run_finalizers(void *unused)
{
    while (!done)
        if (gca_finalizers_wait(10000000) != 0)
            gca_finalizers_run(7);
    gca_finalizers_run(SIZE_MAX);
    return unused;
}

static void work_in_threads(uintptr_t rounds)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, work, (void *)rounds) == 0);
    for (int i = 0; i < THREADS; i++)
        require(pthread_join(threads[i], NULL) == 0);
}

/* Not with shadows, which are slots that nobody has. */
static void expect_sound(void)
{
    require(strstr(getenv("GCALLOC_OPTIONS"), "shadow") != NULL || gca_heap_verify() == 0);
}

/* Goes on with what its parent had, alone. */
static void fork_and_work(void)
{
    pid_t child = fork();

    require(child >= 0);
    if (child == 0) {
        work((void *)(uintptr_t)CHILD_ROUNDS);
        require(gca_collect() == 0);
        gca_finalizers_run(SIZE_MAX);
        work_in_threads(CHILD_ROUNDS / 5);
        expect_sound();
        _exit(0);
    }
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
}

static void *fork_often(void *unused)
{
    for (int i = 0; i < 5; i++)
        fork_and_work();
    return unused;
}

__attribute__((noinline)) static void clean_stack(void)
{
    volatile char space[50000];

    for (size_t i = 0; i < sizeof space; i++)
        space[i] = 0;
}

int main(int count, char **arguments)
{
    pthread_t runner, forker;
    uintptr_t rounds = count > 1 ? (uintptr_t)atol(arguments[1]) : 1000;

    require(gca_finalizers_run(SIZE_MAX) == 0 && gca_finalizers_wait(1000) == 0);
    require(gca_finalizer_set(&key, on_final, &key, GCA_FINALIZE_TOGETHER) == -EINVAL);
    errno = 0;
    require(gca_weak_ref_new(&key) == NULL && errno == EINVAL);
    require(pthread_create(&runner, NULL, run_finalizers, NULL) == 0);
    require(pthread_create(&forker, NULL, fork_often, NULL) == 0);
    work_in_threads(rounds);
    work_in_threads(rounds);
    require(pthread_join(forker, NULL) == 0);
    done = true;
    require(pthread_join(runner, NULL) == 0);
    for (int i = 0; i < 10; i++) {
        clean_stack();
        require(gca_collect() == 0);
        gca_finalizers_run(SIZE_MAX);
    }
    require(finalized + freed <= made && finalized + freed + STRAYS_MAX >= made);
    expect_sound();
    return 0;
}
