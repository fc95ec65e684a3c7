/* leak: the best candidate so far is replaced, and the old one lost. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct route {
    int cost;
};

static struct route *route_find(int seed)
{
    struct route *route = gca_new(struct route);
    if (route != NULL)
        route->cost = seed * 7919 % 101;
    return route;
}

int main(void)
{
    struct route *best = route_find(2);
    if (best == NULL)
        return 1;
    struct route *other = route_find(1);
    if (other == NULL) {
        gca_drop(best);
        return 1;
    }
    if (other->cost < best->cost) {
#ifndef BUG
        gca_drop(best);
#endif
        best = other;
    } else {
        gca_drop(other);
    }
    printf("%d\n", best->cost);
    gca_drop(best);
    return 0;
}
