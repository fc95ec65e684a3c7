/*
 * gc/trawl: reads the heap for pointers to held blocks piece by piece, while the program runs.
 *
 * The helper does all of it (gc/helper.h), or, where there can be none, whoever frees does a little. Pages are write-protected (os/tracking) before they are read, so
 * what is written behind the reading is known and read again, until little is left for the stop that ends it. All pages that hold something
 * are read, whoever owns them: what is free or held is wiped and points nowhere.
 *
 * One at a time; the caller holds the lock of the sweep.
 */
#ifndef GC_TRAWL_H
#define GC_TRAWL_H

#include "gc/pointed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False where writes can't be tracked, or the program makes parts of its blocks unreadable: then sweeps read all in a stop. */
bool trawl_is_possible(void);

/* First of all, in the thread that does all of it, since what tracks writes is in its table of descriptors. False where that can't be. */
bool trawl_prepare(void);

/* Begins, after pointed_begin() and the turn. */
void trawl_start(struct pointed *pointed);

enum trawl_progress {
    TRAWL_ON,     /* there is more to be read while threads run */
    TRAWL_BEHIND, /* the program writes as fast as it is read after */
    TRAWL_DONE,   /* what is left is little */
};

/* Reads about so many bytes. What is left may be read in a stop in any case. */
enum trawl_progress trawl_step(size_t size_bytes);

/*
 * In a stop, when trawl_step() came behind: reads on for about so long. Many short stops with moments between them, in which the program
 * writes less than was read, leave little for the last one.
 */
enum trawl_progress trawl_step_stopped(uint64_t time_ns);

/* False when the program has meanwhile changed what can be read: then the stop reads all. */
bool trawl_is_complete(void);

/* In the stop: reads what was written and not read again. */
void trawl_finish(void);

/* Tracks no more. */
void trawl_end(void);

/* In the child of a fork: what was begun is its parent's. */
void trawl_forget(void);

/* The program is about to change the protection of pages in the heap. Returns when nobody reads there any more. */
void trawl_forbid(void);

#endif
