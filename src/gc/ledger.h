/*
 * gc/ledger: what is to be known of single blocks: weak references to them, and finalizers.
 *
 * One hash table by block, in metadata. Addresses of blocks stand in it in disguise, so that they hold nothing; the data
 * of finalizers stands there as it is, and is a root. Entries go when the program frees the block (heap/note.h), or when
 * a collection has found that it can't be reached.
 *
 * One lock guards it and gc/finalize.c's list, inside of the collector's own, outside of all heap locks. Whoever stops
 * threads holds it: nobody is stopped in the middle of a change.
 */
#ifndef GC_LEDGER_H
#define GC_LEDGER_H

#include "gc/roots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;

typedef void ledger_function(void *block, void *data);

struct ledger_entry {
    uintptr_t hidden_block;    /* the block's start; 0: nothing here */
    ledger_function *finalizer; /* NULL: a weak reference */
    void *data;                /* the finalizer's; of a weak reference, hidden, where it is */
    uint64_t serial;           /* the order in which finalizers were set; see gc/finalize.c for the low bits */
};

/* What does not look like the address it stands for: no address of a program has its top bit set. */
static inline uintptr_t ledger_hide(const void *address)
{
    return ~(uintptr_t)address;
}

static inline void *ledger_reveal(uintptr_t hidden)
{
    return (void *)~hidden;
}

void ledger_lock(void);
void ledger_unlock(void);
void ledger_lock_reset(void);

/* From now on the ledger is told when the block is freed. Needs no lock. */
void ledger_watch(const struct block *block);

/* All of the following with the lock held. */

/* Adds an entry for an allocated block, which is watched from now on. Returns 0 or -ENOMEM. */
int ledger_add(const struct block *block, const struct ledger_entry *entry);

/* The block's finalizer, or NULL. Good until the table changes. */
struct ledger_entry *ledger_find_finalizer(const void *block);

/* Removes the entry. */
void ledger_remove(struct ledger_entry *entry);

/*
 * Calls visit for every entry, which may change it, and removes those for which it returns true. An entry may be visited
 * twice.
 */
void ledger_each(bool (*visit)(struct ledger_entry *entry, void *context), void *context);

/* Feeds the data of all finalizers. */
void ledger_scan(roots_range *range, void *context);

/* In a collection, after marking: the block's white byte; NULL for blocks younger than the cycle. */
uint8_t *ledger_white(const void *block);

/* True when nothing led to the block. */
bool ledger_is_unreached(const void *block);

#endif
