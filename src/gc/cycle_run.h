/*
 * gc/cycle_run: the steps of a cycle, for those who run one: at once (gc/cycle) or beside the program (gc/background).
 *
 * What makes and marks wants the lock of the cycle.
 */
#ifndef GC_CYCLE_RUN_H
#define GC_CYCLE_RUN_H

#include "gc/cycle.h"
#include "gc/mark.h"
#include "gc/sweep.h"
#include "gc/white.h"

#include <stdbool.h>
#include <stdint.h>

/* One cycle on its way. */
struct cycle {
    enum cycle_reason reason;
    int result;
    uint64_t start_ns;
    uint64_t stopped_ns;
    bool (*yield)(void);   /* between two pieces, when it runs in the background; NULL for one that does not */
    bool is_young;
    uint32_t rounds;       /* of what was written while marking; 0 when all was done in one stop */
    uint64_t last_pages;
    uint64_t marked_ns;
    uint64_t end_ns;
    struct white_rule rule;
    uint32_t white_serial; /* of the white bytes that the sweep goes by */
    struct sweep_result swept;
};

/*
 * Takes the lock: who only fears that the heap grows does not wait for it, -EBUSY; who asks for a cycle does, or has no memory
 * left. A child that shares our memory (vfork) must not collect, -EPERM: its process id is not the heap's.
 */
int cycle_begin(enum cycle_reason reason);
void cycle_release(void);

/* Cycles that nobody asked for are not to begin. */
bool cycle_is_disabled(void);

/* Waits for the lock; whoever runs a cycle in the background gives way. cycle_take_back() is for that one. */
void cycle_take(void);
void cycle_take_back(void);
void cycle_lock_reset(void);
bool cycle_is_wanted(void);

/* Lets go of the lock for as long as others wait for it: a fork, or who collects. */
void cycle_give_way(void);

/* What the next cycle's blocks are born with. */
uint32_t cycle_next_birth(void);

/* The marker, with the items for mark_start(): cycle_prepare() makes room for these. */
extern struct marker cycle_marker;
struct work *cycle_items(void);
enum { CYCLE_ITEMS = 8 * 1024 };

/* In this order; conclude() also after a failure. */
int cycle_prepare(struct cycle *cycle);
int cycle_mark_stopped(struct cycle *cycle);
void cycle_sweep(struct cycle *cycle);
void cycle_conclude(struct cycle *cycle);

#endif
