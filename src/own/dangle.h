/* own/dangle: who still points into an arena that ends. */
#ifndef OWN_DANGLE_H
#define OWN_DANGLE_H

struct arena;

/* Reports it, when something else than a stack does. */
void dangle_check(struct arena *arena, const char *function, void *caller);

#endif
