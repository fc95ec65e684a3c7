/*
 * gc/weak: references that do not hold what they refer to.
 *
 * A reference is a small block of its own, which the program frees or loses as any other. It holds the address in disguise,
 * and is cleared when the block it refers to is freed, by the program or by a collection; there before finalizers run.
 */
#ifndef GC_WEAK_H
#define GC_WEAK_H

#include <stdint.h>

struct gca_weak_ref;

/*
 * A reference to the allocated block that the address lies in. Returns 0; -EINVAL when there is none, -ENOMEM.
 */
int weak_new(void *address, struct gca_weak_ref **reference_out);

/* The address, or NULL once the block is gone. Needs no lock. */
void *weak_get(const struct gca_weak_ref *reference);

/* For gc/ledger, under its lock: the block is gone. */
void weak_clear(struct gca_weak_ref *reference);

/* The hidden start of the block that this one, if it were a reference, would refer to; 0 if it can't be one. */
uintptr_t weak_hidden_block(const void *block);

/*
 * In a collection, all threads stopped and everything marked: first references to blocks that are not reached are cleared;
 * then, when finalizers have had their say, references that are not reached themselves are forgotten.
 */
void weak_clear_unreached(void);
void weak_forget_unreached(void);

#endif
