/*
 * leaks SHAPE MIB KIB: loses so many MiB in blocks of some shape, and must not be larger than KIB at its peak.
 *
 * The shapes: small, mixed, large, cyclic (rings of eight), list (one long list, cut off now and then), threads (lost by
 * threads that have ended), kept (all of the others in turn, beside live data that must stay as it is).
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { RING = 8, LIST_MAX = 1000, THREAD_BYTES = 8 << 20, KEPT_COUNT = 20000, PAGE = 4096 };

static uint32_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * 1103515245 + 12345;
    return seed >> 8;
}

/* Every page is touched. */
static void *take(size_t size)
{
    char *block = malloc(size);

    require(block != NULL);
    memset(block, 1, size < 64 ? size : 64);
    for (size_t i = 0; i < size; i += PAGE)
        block[i] = 1;
    return block;
}

static size_t lose_small(void)
{
    take(40);
    return 48;
}

static size_t lose_mixed(void)
{
    size_t size = 16 + next_random() % 3000;

    take(size);
    return size;
}

static size_t lose_large(void)
{
    size_t size = 20000 + next_random() % 3000000;

    take(size);
    return size;
}

struct node {
    struct node *next;
    struct node *previous;
    char load[48];
};

static size_t lose_ring(void)
{
    struct node *first = NULL;

    for (int i = 0; i < RING; i++) {
        struct node *node = take(sizeof *node);

        if (first == NULL)
            first = node->next = node->previous = node;
        node->next = first;
        node->previous = first->previous;
        first->previous->next = node;
        first->previous = node;
    }
    return RING * sizeof *first;
}

static size_t lose_list(void)
{
    static struct node *list;
    static int length;
    struct node *node = take(sizeof *node);

    node->next = length++ % LIST_MAX == 0 ? NULL : list;
    list = node;
    return sizeof *node;
}

static void *thread(void *unused)
{
    for (size_t done = 0; done < THREAD_BYTES;)
        done += lose_mixed();
    return unused;
}

static size_t lose_in_thread(void)
{
    pthread_t id;

    require(pthread_create(&id, NULL, thread, NULL) == 0);
    require(pthread_join(id, NULL) == 0);
    return THREAD_BYTES;
}

static const struct shape {
    const char *name;
    size_t (*lose)(void);
} shapes[] = {{"small", lose_small}, {"mixed", lose_mixed}, {"large", lose_large}, {"cyclic", lose_ring},
              {"list", lose_list}, {"threads", lose_in_thread}};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void lose(const struct shape *shape, size_t total)
{
    for (size_t done = 0; done < total;)
        done += shape->lose();
}

/* Live data that only a chain of blocks leads to. */
static struct node *kept;

static void keep(void)
{
    for (int i = 0; i < KEPT_COUNT; i++) {
        struct node *node = malloc(sizeof *node + (size_t)i % 200);

        node->next = kept;
        node->previous = NULL;
        memset(node->load, i % 251, sizeof node->load);
        kept = node;
    }
}

static void expect_kept(void)
{
    struct node *node = kept;

    for (int i = KEPT_COUNT; i-- > 0; node = node->next)
        for (size_t j = 0; j < sizeof node->load; j++)
            require(node->load[j] == (char)(i % 251));
    require(node == NULL);
}

int main(int count, char **arguments)
{
    struct rusage usage;
    size_t total;

    subject_require(arguments);
    require(count == 4);
    total = (size_t)atol(arguments[2]) << 20;
    if (strcmp(arguments[1], "kept") == 0)
        keep();
    for (int i = 0; i < SHAPES; i++)
        if (strcmp(arguments[1], shapes[i].name) == 0 || kept != NULL)
            lose(&shapes[i], kept != NULL ? total / SHAPES : total);
    if (kept != NULL)
        expect_kept();
    require(getrusage(RUSAGE_SELF, &usage) == 0);
    printf("%ld KiB at most\n", usage.ru_maxrss);
    fflush(stdout);
    require(usage.ru_maxrss < atol(arguments[3]));
    return 0;
}
