/*
 * bench/micro/trees-lost: bench/micro/trees without a free: for collectors. Not in the comparison with other allocators,
 * which would need some gigabytes.
 */
#include "bench/micro/pattern.h"

enum { DEPTH_LONG = 18, DEPTH_MIN = 4, DEPTH_MAX = 16 };

struct node {
    struct node *left;
    struct node *right;
    uint64_t value;
};

static struct node *build(unsigned depth)
{
    struct node *node = malloc(sizeof *node);

    if (node == NULL)
        pattern_die("malloc");
    *node = (struct node){NULL, NULL, depth};
    if (depth > 0) {
        node->left = build(depth - 1);
        node->right = build(depth - 1);
    }
    return node;
}

static uint64_t add_up(struct node *node)
{
    uint64_t sum;

    if (node == NULL)
        return 0;
    sum = node->value + add_up(node->left) + add_up(node->right);
    return sum;
}

int main(int argc, char **argv)
{
    struct node *lasting = build(DEPTH_LONG);
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(44);
    for (size_t round = 0; round < rounds; round++) {
        for (unsigned depth = DEPTH_MIN; depth <= DEPTH_MAX; depth += 3) {
            for (size_t i = 0; i < (size_t)1 << (DEPTH_MAX - depth); i++)
                sum += add_up(build(depth));
        }
    }
    return pattern_end(sum + add_up(lasting));
}
