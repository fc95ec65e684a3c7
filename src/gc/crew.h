/*
 * gc/crew: several threads that mark at once.
 *
 * One leads: whoever runs the cycle. The others are threads of our own (os/helper), made when a first cycle is worth it, asleep
 * between two, and ended where the helper of gc/helper is. Each marks from a list of its own; who runs out of work takes grey units
 * (gc/grey.h), and who sees that somebody waits turns the older half of his list grey for him: those are the larger parts of a tree. The
 * heap is what is shared, so there is no queue that could overflow.
 *
 * Uses os, heap. Locks: its own, inside those of the cycle.
 */
#ifndef GC_CREW_H
#define GC_CREW_H

#include "gc/mark.h"

#include <stdbool.h>
#include <stdint.h>

/* How many threads may mark while the program's stand still, and while they run: gc_threads, and what processors there are. */
unsigned crew_size_stopped(void);
unsigned crew_size_beside(void);

/*
 * Marks everything that what was marked leads to, with so many threads, the caller included. `is_interrupted`, if there is one,
 * is asked now and then. Returns false when it said yes: then what is left is the leader's or grey, and nobody else marks.
 */
bool crew_drain(struct marker *leader, unsigned size, bool (*is_interrupted)(void));

/*
 * The same, but first each does his parts of some other work that leads to more to mark: one after the other, as long as `part` says
 * that there was one. It is told who asks: 0 is the caller, others have numbers up to CREW_MEMBERS_MAX.
 */
enum { CREW_MEMBERS_MAX = 15 };
typedef bool crew_part(struct marker *marker, unsigned who);
bool crew_share(struct marker *leader, unsigned size, crew_part *part, bool (*is_interrupted)(void));

/* Some member could not leave the program's table of files, so that none may open any. */
bool crew_shares_files(void);

/* Whether the thread is one of them. */
bool crew_has(int32_t thread_id);

/* Ends the threads, and waits until they are gone. No cycle is under way. */
void crew_quit(void);

/* There are to be none any more, from the next cycle on. */
void crew_deny(void);

/* In the child of a fork there are none. */
void crew_forget(void);

#endif
