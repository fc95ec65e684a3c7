/*
 * tests/preload/collect/churn: threads that build, rewire, lose, free and hand over checked blocks while the collector works.
 *
 *     churn THREADS ROUNDS [fork]
 *
 * Each thread has a table of lists. A node knows its seed, and all of its words follow from that: whoever gets a node that is
 * still in use as a new block, or finds one wiped, sees it. Lists lose their tails without a free(), nodes move between lists
 * so that often a single edge, written a moment ago, holds them, and some are freed by other threads.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LISTS = 256, EXCHANGE = 64, LENGTH_MAX = 24, THREADS_MAX = 64 };

struct node {
    struct node *next;
    uint64_t seed;
    uint32_t words; /* behind */
    uint64_t body[];
};

static _Atomic(struct node *) exchange[EXCHANGE];
static unsigned long rounds;
static int forks;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct node *make(uint64_t *random)
{
    uint64_t seed = next_random(random);
    uint32_t words =
        seed % 100 == 0 ? 3000 + (uint32_t)(seed >> 8) % 20000 : (uint32_t)(seed >> 8) % 40;
    size_t bytes = sizeof(struct node) + words * sizeof(uint64_t);
    struct node *node = seed % 3 == 0 ? calloc(1, bytes) : malloc(bytes);
    if (node == NULL)
        abort();
    memset(node, 0, malloc_usable_size(node)); /* what was there before leads nowhere: see the option mark_check */
    node->next = NULL;
    node->seed = seed;
    node->words = words;
    for (uint32_t i = 0; i<words; i += words> 100 ? 97 : 1)
        node->body[i] = seed + i * 3;
    return node;
}

static void check(const struct node *node)
{
    for (uint32_t i = 0; i<node->words; i += node->words> 100 ? 97 : 1)
        if (node->body[i] != node->seed + i * 3) {
            fprintf(stderr, "a block in use was changed: %p, word %u of %u\n", (const void *)node,
                    i, node->words);
            abort();
        }
}

static size_t check_list(const struct node *node)
{
    size_t length = 0;
    for (; node != NULL; node = node->next, length++)
        check(node);
    return length;
}

/* The larger block's contents begin as the smaller one's; the rest is filled in again. */
static struct node *grow(struct node *node)
{
    uint32_t words = node->words + node->words / 2 + 1;
    struct node *larger = realloc(node, sizeof *node + words * sizeof(uint64_t));
    if (larger == NULL)
        abort();
    check(larger);
    char *end = (char *)&larger->body[larger->words];
    memset(end, 0, malloc_usable_size(larger) - (size_t)(end - (char *)larger));
    for (uint32_t i = 0; i<words; i += words> 100 ? 97 : 1)
        larger->body[i] = larger->seed + i * 3;
    larger->words = words;
    return larger;
}

/* A child has every list as it was, collects on its own, and loses no block either. */
static void in_child(struct node **lists, uint64_t *random)
{
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < LISTS; i++)
            check_list(lists[i]);
        for (int i = 0; i < 3000; i++)
            free(lists[next_random(random) % LISTS] == NULL ? NULL : make(random));
        for (int i = 0; i < LISTS; i++)
            check_list(lists[i]);
        _exit(0);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "a child failed: %d\n", status);
        abort();
    }
}

static void step(struct node **lists, uint64_t *random)
{
    uint64_t what = next_random(random);
    struct node **one = &lists[what >> 8 & (LISTS - 1)], **other = &lists[what >> 24 & (LISTS - 1)];
    struct node *node;
    switch (what & 7) {
    case 0: /* lost, all of it */
        if (check_list(*one) > LENGTH_MAX)
            *one = NULL;
        return;
    case 1: /* the tail moves to another list */
        if (*one != NULL && one != other) {
            node = (*one)->next;
            (*one)->next = NULL;
            check_list(*other);
            *other = node;
        }
        return;
    case 2: /* freed, as it should be */
        if ((node = *one) != NULL) {
            *one = node->next;
            check(node);
            free(node);
        }
        return;
    case 3: /* for whoever finds it */
        node = make(random);
        node = atomic_exchange(&exchange[what >> 40 & (EXCHANGE - 1)], node);
        if (node != NULL) {
            check(node);
            if ((what >> 50 & 1) != 0)
                free(node);
        }
        return;
    case 4: /* meanwhile nothing but this thread's registers and stack holds it; no compiler is to leave the store out */
        if ((node = *one) != NULL) {
            *(struct node *volatile *)one = NULL;
            *one = grow(node);
        }
        return;
    case 5: /* behind an old one, which alone leads to it */
        if (*one != NULL) {
            struct node *before = *one;
            for (uint64_t depth = what >> 40 & 7; depth > 0 && before->next != NULL; depth--)
                before = before->next;
            node = make(random);
            node->next = before->next;
            before->next = node;
        }
        return;
    default:
        node = make(random);
        node->next = *one;
        *one = node;
    }
}

static void *work(void *argument)
{
    uint64_t random = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15u + 1;
    struct node **lists = calloc(LISTS, sizeof(struct node *));
    for (unsigned long i = 0; i < rounds; i++) {
        step(lists, &random);
        if (forks && i % (rounds / 4 + 1) == rounds / 8)
            in_child(lists, &random);
    }
    for (int i = 0; i < LISTS; i++)
        check_list(lists[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 1;
    rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    forks = argc > 3 && strcmp(argv[3], "fork") == 0;
    pthread_t threads[THREADS_MAX];
    if (count < 0 || count > THREADS_MAX)
        return 2;
    if (count == 0)
        work((void *)1);
    for (int generation = 0; generation < 2; generation++) {
        for (int i = 0; i < count; i++)
            if (pthread_create(&threads[i], NULL, work,
                               (void *)(uintptr_t)(i + 2 + generation * THREADS_MAX)) != 0)
                return 3;
        for (int i = 0; i < count; i++)
            pthread_join(threads[i], NULL);
    }
    return 0;
}
