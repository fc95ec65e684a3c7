/*
 * Threads that allocate, free, keep and pass on blocks, with forks in between, while sweeps come often: every block keeps what was written to
 * it, and memory stays bounded.
 *
 * usage: churn THREADS ROUNDS LIMIT_KIB [fork]
 */
#include "support/require.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 512, SHARED = 64 };

struct block {
    uint64_t size;
    uint64_t seed;
    unsigned char bytes[];
};

static struct block *_Atomic shared[SHARED];
static long rounds;
static int forks;

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct block *make(uint64_t *state)
{
    uint64_t random = next(state);
    size_t size = sizeof(struct block) + (random % 64 == 0 ? random >> 8 & 0x3ffff : random >> 8 & 0x1ff);
    struct block *block = malloc(size);
    require(block != NULL);
    block->size = size;
    block->seed = random;
    memset(block->bytes, (int)(random >> 40), size - sizeof *block);
    return block;
}

static void drop(struct block *block)
{
    if (block == NULL)
        return;
    size_t count = block->size - sizeof *block;
    unsigned char expected = (unsigned char)(block->seed >> 40);
    for (size_t i = 0; i < count; i += count > 4096 ? 509 : 7)
        require(block->bytes[i] == expected);
    free(block);
}

static void grow(struct block **place, uint64_t *state)
{
    struct block *block = *place;
    if (block == NULL)
        return;
    size_t size = block->size + (next(state) & 0x3fff);
    block = realloc(block, size);
    require(block != NULL);
    memset(block->bytes + (block->size - sizeof *block), (int)(block->seed >> 40), size - block->size);
    block->size = size;
    *place = block;
}

static void fork_once(uint64_t *state)
{
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 3000; i++)
            drop(make(state));
        for (int i = 0; i < SHARED; i++)
            drop(atomic_exchange(&shared[i], NULL));
        _exit(0);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    require(status == 0);
}

static void *work(void *argument)
{
    uint64_t state = 88172645463325252u + (uintptr_t)argument * 7919;
    struct block *kept[KEPT] = {NULL};
    for (long i = 0; i < rounds; i++) {
        size_t index = next(&state) % KEPT;
        drop(kept[index]);
        kept[index] = make(&state);
        if (i % 16 == 0)
            kept[index] = atomic_exchange(&shared[next(&state) % SHARED], kept[index]);
        if (i % 8 == 0)
            grow(&kept[next(&state) % KEPT], &state);
        if (forks && i % 20000 == 19999)
            fork_once(&state);
    }
    for (int i = 0; i < KEPT; i++)
        drop(kept[i]);
    return NULL;
}

static long resident_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    require(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    fclose(status);
    return kib;
}

int main(int argc, char **argv)
{
    require(argc >= 4);
    int count = atoi(argv[1]);
    rounds = atol(argv[2]);
    forks = argc > 4;
    pthread_t threads[64];
    for (int generation = 0; generation < 3; generation++) {
        for (int i = 0; i < count; i++)
            require(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(generation * 64 + i + 1)) == 0);
        for (int i = 0; i < count; i++)
            require(pthread_join(threads[i], NULL) == 0);
    }
    long kib = resident_kib();
    printf("%ld KiB\n", kib);
    return kib <= atol(argv[3]) ? 0 : 1;
}
