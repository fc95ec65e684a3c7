/* bench/micro/gcbench: every tree is freed. For the comparison of collectors with those who need no such thing. */
#include "bench/micro/gcbench.h"

uint64_t drop(struct node *node)
{
    uint64_t sum;

    if (node == NULL)
        return 0;
    sum = 1 + drop(node->left) + drop(node->right);
    free(node);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;

    pattern_begin(argc, argv);
    for (size_t rounds = pattern_times(1); rounds > 0; rounds--)
        sum += gcbench();
    return pattern_end(sum);
}
