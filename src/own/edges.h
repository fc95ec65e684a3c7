/* own/edges: which object owns which. */
#ifndef OWN_EDGES_H
#define OWN_EDGES_H

#include <stddef.h>

/* Of a block that owns or is owned, or whose owner is gone. */
struct edge_node {
    void *block;
    struct edge_node *next_in_bucket;
    struct edge_node *owner;
    struct edge_node *newest; /* of those it owns */
    struct edge_node *older;  /* in its owner's list */
    struct edge_node *newer;
    size_t count;             /* of those it owns */
    const void *gone;         /* its owner was here, and was freed without it */
};

/* Every node. own_lock is held. */
void edges_each(void (*visit)(const struct edge_node *node, void *context), void *context);

#endif
