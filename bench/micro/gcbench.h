/*
 * bench/micro/gcbench: trees of several depths built from the top and from the bottom beside a tree and an array that last,
 * after Boehm's GCBench (John Ellis, Pete Kovac; 1997). With a way to give memory back, or none.
 */
#ifndef BENCH_MICRO_GCBENCH_H
#define BENCH_MICRO_GCBENCH_H

#include "bench/micro/pattern.h"

/* cc -DGCBENCH_LIBGC ... -lgc: on the collector of Boehm, Demers and Weiser. */
#ifdef GCBENCH_LIBGC
#include <gc.h>
#define GCBENCH_ALLOCATE GC_MALLOC
#else
#define GCBENCH_ALLOCATE malloc
#endif

enum { STRETCH_DEPTH = 18, LASTING_DEPTH = 16, ARRAY_COUNT = 500000, DEPTH_MIN = 4, DEPTH_MAX = 16 };

struct node {
    struct node *left;
    struct node *right;
    int i, j;
};

static inline struct node *node_new(void)
{
    struct node *node = GCBENCH_ALLOCATE(sizeof *node);

    if (node == NULL)
        pattern_die("malloc");
    *node = (struct node){NULL, NULL, 1, 2};
    return node;
}

/* From the top: the node is there before its children. */
static inline void populate(int depth, struct node *node)
{
    if (depth <= 0)
        return;
    node->left = node_new();
    node->right = node_new();
    populate(depth - 1, node->left);
    populate(depth - 1, node->right);
}

/* From the bottom. */
static inline struct node *make_tree(int depth)
{
    struct node *node, *left = NULL, *right = NULL;

    if (depth > 0) {
        left = make_tree(depth - 1);
        right = make_tree(depth - 1);
    }
    node = node_new();
    node->left = left;
    node->right = right;
    return node;
}

static inline uint64_t count(const struct node *node)
{
    return node == NULL ? 0 : 1 + count(node->left) + count(node->right);
}

/* Counts a tree that is no longer needed, and gives it back if that is done here. */
uint64_t drop(struct node *node);

static inline uint64_t build_trees(int depth)
{
    uint64_t total = 0;
    size_t rounds = 2 * (((size_t)2 << STRETCH_DEPTH) / ((size_t)2 << depth));

    for (size_t i = 0; i < rounds / 2; i++) {
        struct node *node = node_new();

        populate(depth, node);
        total += drop(node);
        total += drop(make_tree(depth));
    }
    return total;
}

static inline uint64_t gcbench(void)
{
    uint64_t total = drop(make_tree(STRETCH_DEPTH));
    struct node *lasting = node_new();
    double *array = GCBENCH_ALLOCATE(ARRAY_COUNT * sizeof *array);

    if (array == NULL)
        pattern_die("malloc");
    populate(LASTING_DEPTH, lasting);
    for (int i = 0; i < ARRAY_COUNT; i++)
        array[i] = i;
    for (int depth = DEPTH_MIN; depth <= DEPTH_MAX; depth += 2)
        total += build_trees(depth);
    total += count(lasting) + (uint64_t)array[1000];
    return total;
}

#endif
