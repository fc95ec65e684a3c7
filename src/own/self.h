/*
 * own/self: what ownership keeps for each thread, and what all of it shares.
 *
 * A thread that counts references has a number, which notes name as their holder. Numbers are never used again; who gets none,
 * because they are used up or memory is short, counts as others do.
 *
 * Locks: own_lock, outside of all the heap's. It guards the tables of owners, of types, and what waits for threads.
 */
#ifndef OWN_SELF_H
#define OWN_SELF_H

#include "base/compiler.h"
#include "base/lock.h"
#include "heap/lookup.h"
#include "heap/note.h"
#include "os/thread.h"
#include "own/pile.h"
#include "own/report.h"

#include "gcalloc/borrow.h"
#include "gcalloc/count.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gca_type;
struct merge_record;

struct own_self {
    uint32_t thread; /* its number; 0: none yet */
    uint32_t drops;  /* of functions of the program's that run now, one inside the other */
    struct gca_borrows_ *borrows; /* gca_self_1.borrows, for other threads to look at, once it has borrowed */
    struct own_self *next; /* of those that have borrowed */
    struct merge_record *record; /* of its number; NULL without one */
    struct pile ending;    /* objects that are to be dropped */
    struct suspects *suspects;
    bool is_in_function; /* a drop function of the program's runs, not our loop */
    bool has_exit; /* is told when the thread ends */
    bool has_lost_borrows; /* there was no memory to remember one */
};

extern _Thread_local struct own_self own_self __attribute__((tls_model("initial-exec")));

/* Below the first borrow of each thread: no object's address. */
extern struct gca_borrow_ borrow_below;
#define BORROWS_NONE {&borrow_below + 1, &borrow_below + 1, &borrow_below + 1}

/* For the inline fast paths: as much of the heap as there is now. A thread without a number holds nothing, but may borrow. */
static inline void own_see_heap(void)
{
    gca_self_1.minus_start = -heap_layout.slots_start;
    gca_self_1.units = (struct gca_unit_ *)heap_layout.units;
    gca_self_1.limit_bytes = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
}

extern struct lock own_lock;

/* Once for each thread that has anything to be done when it ends. */
void own_need_exit(void);

/* Once, by whatever annotates a block first: the heap asks ownership about noted blocks. */
void own_start(void);

/* ---- notes ---- */

static inline bool note_has(const struct note *note, uint32_t flag)
{
    return (atomic_load_explicit(&note->holder, memory_order_relaxed) & flag) != 0;
}

/* While there is one thread only it is the only one that changes notes of what lives: plain arithmetic takes a fifth of the time. */
static inline void note_change(struct note *note, uint32_t cleared, uint32_t added)
{
    if (LIKELY(os_is_single_threaded())) {
        uint32_t holder = atomic_load_explicit(&note->holder, memory_order_relaxed);
        atomic_store_explicit(&note->holder, (holder & ~cleared) | added, memory_order_relaxed);
        return;
    }
    if (cleared != 0)
        atomic_fetch_and_explicit(&note->holder, ~cleared, memory_order_relaxed);
    if (added != 0)
        atomic_fetch_or_explicit(&note->holder, added, memory_order_relaxed);
}

static inline void note_set(struct note *note, uint32_t flag)
{
    note_change(note, 0, flag);
}

static inline void note_unset(struct note *note, uint32_t flag)
{
    note_change(note, flag, 0);
}

static inline uint32_t note_thread(const struct note *note)
{
    return atomic_load_explicit(&note->holder, memory_order_relaxed) & HOLDER_THREAD;
}

/* The allocated block that starts here, of malloc's; false for everything else. */
bool own_block(const void *object, struct block *block_out);

/* The note of an allocated slot that is noted already, quickly; NULL for all else. */
static ALWAYS_INLINE struct note *own_noted(const void *object)
{
    if (UNLIKELY(!heap_contains(object)))
        return NULL;
    const struct unit *unit = unit_at(object);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    if (UNLIKELY((notes & 1) == 0))
        return NULL;
    struct slot_position position = unit_slot_position(unit, object);
    if (UNLIKELY(!position.is_start))
        return NULL;
    uint8_t state = slot_state_get(unit->states + position.index);
    if (UNLIKELY((state & (SLOT_NOTED | 1)) != (SLOT_NOTED | 1)))
        return NULL;
    return (struct note *)(notes - 1) + position.index;
}

/* Its note if it has one, or NULL. */
struct note *own_note(const void *object);

/* Its note, made if need be. Returns 0, -EINVAL for what is no allocated block, or -ENOMEM. */
int own_need_note(const void *object, struct note **note_out);

/* ---- ends (own/drop.c) ---- */

/* The object's last owner or reference has gone. */
void own_end(void *object);

/* Frees an object that has ended, but for its memory. */
void own_free(void *object);

/* What gave up has left in own_self.ending while own_self.drops was raised. */
void own_end_waiting(void);

/* One more reference goes, or the object, which has one owner, ends. Of any value. */
void own_give_up(void *object);

/* What the object's pointers hold goes before what it owns: it is pushed last. */
void own_give_up_pointers(const void *object, const struct gca_type *type);

/* ---- references (own/shared.c) ---- */

/* Gives a reference up. True when it was the last: the object is to end. */
bool shared_release(void *object, struct note *note, void *caller);

/* ---- merging (own/merge.c) ---- */

/* The calling thread's number, given to it now if it has none. 0 when there is none to give. */
uint32_t merge_number(void);

/* The note, whose OTHERS_QUEUED the caller has set, waits for its thread; or is merged now, if that has ended. True: and the object ends. */
bool merge_later(void *object, struct note *note);

struct merge_record {
    struct pile waiting; /* objects to be merged. Under own_lock */
    _Atomic bool has_waiting;
    bool is_alive;
    uint32_t forks; /* when it began: in a child of a fork its parent's other threads are not alive */
};

/* Whether something waits for the calling thread. */
static ALWAYS_INLINE bool merge_waits(void)
{
    return own_self.record != NULL && atomic_load_explicit(&own_self.record->has_waiting, memory_order_relaxed);
}

size_t merge_own(void);
void merge_thread_exit(void);

/* ---- owners (own/edges.c) ---- */

/* The block, whose note says HOLDER_EDGES, goes: it leaves its owner, and what it owned goes to `pile`, or is orphaned without one. */
void edges_end(void *block, struct pile *pile);
void edges_moved(const void *from, void *to);
size_t edges_count(const void *owner);

/* ---- cycles (own/cycles.c) ---- */

/* A reference to the object, which the calling thread holds and which may be part of a cycle, went, but not the last. */
void cycles_suspect(void *object, struct note *note);
void cycles_forget(void *object, struct note *note);
void cycles_thread_exit(void);

/* ---- borrows (own/borrow.c) ---- */

/* False when the object is borrowed or another thread's, which was reported: it stays. */
bool borrow_may_end(const void *object, const struct note *note, const char *what, void *caller);
/* False when the object is bound to another thread, which was reported. */
bool borrow_may_use(const void *object, const struct note *note, const char *what, void *caller);
void borrow_thread_exit(void);

/* Each borrow of any thread's that has not ended. */
void borrow_each(void (*visit)(const void *object, void *context), void *context);

#endif
