/*
 * gcalloc/capability.h: what a pointer is to clang's analysis of locks, which the macros of gcalloc/annotate.h make follow
 * pointers. Only for that header, and for a checking run of clang 22 or later: others have not all of these attributes.
 */
#ifndef GCALLOC_CAPABILITY_H
#define GCALLOC_CAPABILITY_H

#ifdef GCA_CHECKS_BORROWS_
#define GCA_CHECKS_(...) __attribute__((__VA_ARGS__))

/*
 * Clang's analysis of locks is made to follow pointers: what a function is given is taken for one of these, which is
 * never in memory. A function that takes p asserts that p is `gone`, in a form that needs no undoing, so a pointer that nobody
 * declared is followed as well.
 *
 * That p is used no more once it was taken is left to the analyzers: this analysis sees neither assignments to members, parameters and
 * variables nor what tells a[0] from a[1], so `free(s); s = strdup(t); free(s);` would be a mistake to it.
 */
struct GCA_CHECKS_(capability("state")) gca_state_ {
    char nothing;
};
struct GCA_CHECKS_(capability("borrow"), reentrant_capability) gca_shared_ {
    char nothing;
};
struct GCA_CHECKS_(capability("borrow")) gca_mutable_ {
    char nothing;
};
struct GCA_CHECKS_(capability("lock")) gca_lock_ {
    char nothing;
};
struct GCA_CHECKS_(capability("pointer")) gca_pointer_ {
    struct gca_state_ owned; /* asserted of what is fresh */
    struct gca_state_ gone;  /* asserted once p is taken or moved: a tracked variable must have come to this */
    struct gca_state_ ended; /* asserted when p was taken, not when moved, which leaves NULL */
    struct gca_shared_ shared;
    struct gca_mutable_ mutably;
    struct gca_lock_ lock;
    struct gca_pointer_ *lent; /* what a borrow of p is to the analysis */
};
#define GCA_P_(p) ((const struct gca_pointer_ *)(const void *)(p))
#define GCA_AT_(slot) GCA_P_(*(const void *const *)(slot))
/* What the analysis can't name: each variable that holds such a value stands for itself. */
#define GCA_NO_OTHER_ ((const struct gca_pointer_ *)(const void *)sizeof(int))
#endif

#endif
