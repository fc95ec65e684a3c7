/*
 * gc/pass: a pass through the heap that marks from what was written since the last one, a piece at a time.
 *
 * While threads run or stand still, by one or several, and with pauses in between. What is written to a page after it was found is the
 * next pass's.
 *
 * Uses os, heap. Locks: its own; the run lock, where threads run.
 */
#ifndef GC_PASS_H
#define GC_PASS_H

#include <stdbool.h>
#include <stdint.h>

struct marker;

/* How it goes on. */
struct pass_way {
    unsigned threads; /* that look and mark, the caller included */
    bool is_stopped;  /* all others stand still, and the caller holds the heap's locks */
    bool is_last;     /* and will do so until all is marked: nothing need be protected */
    bool (*is_interrupted)(void);
    void (*meanwhile)(struct marker *marker); /* what the caller marks from before he looks; NULL: nothing */
};

/* Before the first one of a cycle. */
void pass_forget(void);

/* Begins one. Of an earlier one that has not come to its end only what it has found is still to be read. Returns 0, or -ENOTSUP. */
int pass_begin(bool is_last);
bool pass_is_open(void);

/*
 * Goes on with it, and marks what that leads to, until it has come to its end or is_interrupted() says so. Returns 1 at its end, when all
 * is marked, 0 if there is more to do, or -ENOTSUP. A last one that is interrupted is over.
 */
int pass_go_on(struct marker *marker, const struct pass_way *way);

/* Pages that it has found written so far. */
uint64_t pass_pages(void);

#endif
