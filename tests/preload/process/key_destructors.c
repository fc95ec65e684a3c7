/*
 * Destructors of thread-specific data that allocate, free and set their key again, in every round that POSIX grants.
 * The allocator's own end of a thread may come before, between or after them.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { KEYS = 40, THREADS = 200, BLOCK_BYTES = 150 };

static pthread_key_t keys[KEYS];
static atomic_int destructor_calls;
static _Thread_local int rounds[KEYS];

struct value {
    unsigned key;
    unsigned char payload[BLOCK_BYTES];
};

static struct value *value_make(unsigned key)
{
    struct value *value = malloc(sizeof *value);

    value->key = key;
    pattern_fill(value->payload, BLOCK_BYTES, key);
    return value;
}

static void destroy(void *context)
{
    struct value *value = context;
    unsigned key = value->key;

    atomic_fetch_add(&destructor_calls, 1);
    require(pattern_holds(value->payload, BLOCK_BYTES, key));
    free(value);
    workload_run(key, 60);
    if (++rounds[key] < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(keys[key], value_make(key));
}

static void *set_all_and_end(void *block_out)
{
    for (unsigned i = 0; i < KEYS; i++)
        require(pthread_setspecific(keys[i], value_make(i)) == 0);
    *(void **)block_out = malloc(BLOCK_BYTES);
    return NULL;
}

/* The first keys exist before the first malloc of main, so before any key of the allocator's. */
__attribute__((constructor)) static void make_first_keys(void)
{
    for (int i = 0; i < KEYS / 2; i++)
        require(pthread_key_create(&keys[i], destroy) == 0);
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];
    void *left[THREADS];

    (void)count;
    subject_require(arguments);
    for (int i = KEYS / 2; i < KEYS; i++)
        require(pthread_key_create(&keys[i], destroy) == 0);
    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, set_all_and_end, &left[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        free(left[i]);
    }
    require(destructor_calls == THREADS * KEYS * PTHREAD_DESTRUCTOR_ITERATIONS);
    require(subject_verify());
    return 0;
}
