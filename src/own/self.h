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

#include "gcalloc/borrow.h"
#include "gcalloc/count.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge_record;

/* A growing array in metadata. */
struct pile {
    void **items;
    size_t count;
    size_t room;
};

/* False when memory is short; then nothing has changed. */
bool pile_push(struct pile *pile, void *item);
bool pile_grow(struct pile *pile);
void pile_free(struct pile *pile);

/* A borrow of the thread's that has not ended; object NULL: it has, in another thread. */
struct borrow {
    const void *_Atomic object;
    _Atomic uintptr_t place; /* a gca_place, and in the low bits what own/borrow.c keeps there */
    struct note *note;       /* the object's, for the thread itself; NULL: uncounted */
};

struct own_self {
    uint32_t thread; /* its number; 0: none yet */
    uint32_t drops;  /* of functions of the program's that run now, one inside the other */
    struct borrow *borrows;
    struct borrow *borrow_top; /* behind the last */
    struct borrow *borrow_limit;
    struct own_self *next; /* of those that have borrowed */
    struct merge_record *record; /* of its number; NULL without one */
    struct pile ending;    /* objects that are to be dropped */
    struct suspects *suspects;
    bool is_in_function; /* a drop function of the program's runs, not our loop */
    bool has_exit; /* is told when the thread ends */
    bool is_listed;
    bool has_lost_borrows; /* there was no memory to remember one */
};

extern _Thread_local struct own_self own_self __attribute__((tls_model("initial-exec")));

/* For the inline fast paths: as much of the heap as there is now. A thread without a number holds nothing, and needs to see none. */
static inline void own_see_heap(void)
{
    if (own_self.thread != 0)
        gca_counting_1.limit_bytes = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
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

static inline void note_set(struct note *note, uint32_t flag)
{
    atomic_fetch_or_explicit(&note->holder, flag, memory_order_relaxed);
}

static inline void note_unset(struct note *note, uint32_t flag)
{
    atomic_fetch_and_explicit(&note->holder, ~flag, memory_order_relaxed);
}

static inline uint32_t note_thread(const struct note *note)
{
    return atomic_load_explicit(&note->holder, memory_order_relaxed) & HOLDER_THREAD;
}

/* The allocated block that starts here, of malloc's; false for everything else. */
bool own_block(const void *object, struct block *block_out);

/* Its note if it has one, or NULL. */
struct note *own_note(const void *object);

/* Its note, made if need be. Returns 0, -EINVAL for what is no allocated block, or -ENOMEM. */
int own_need_note(const void *object, struct note **note_out);

/* ---- ends (own/drop.c) ---- */

/* The object's last owner or reference has gone. */
void own_end(void *object);

/* The same at once, for the last reference to what is no more than its bytes; false for all else, which is as before. */
bool own_end_quickly(void *object);

/* Frees an object that has ended, but for its memory. */
void own_free(void *object);

/* What gave up has left in own_self.ending while own_self.drops was raised. */
void own_end_waiting(void);

/* One more reference goes, or the object, which has one owner, ends. Of any value. */
void own_give_up(void *object);

/* ---- references (own/shared.c) ---- */

/* Gives a reference up. True when it was the last: the object is to end. */
bool shared_release(void *object, struct note *note, void *caller);

/* ---- merging (own/merge.c) ---- */

/* The calling thread's number, given to it now if it has none. 0 when there is none to give. */
uint32_t merge_number(void);

/* The note, whose OTHERS_QUEUED the caller has set, waits for its thread; or is merged now, if that has ended. True: and the object ends. */
bool merge_later(void *object, struct note *note);

/* Whether something waits for the calling thread. */
bool merge_waits(void);
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

/* ---- reports (own/report.c) ---- */

/* "0x7f31c0 (48 bytes, struct tree)". */
struct text;

void own_describe_object(struct text *text, const void *object);

/*
 * What the program did wrong, with the object in question where the format has %o, and up to two places of the program's. Either may be
 * NULL. With `checked` the option check says what then becomes of the program, else on_error.
 */
struct own_report {
    const void *object;
    const char *section;  /* of gcalloc(7) */
    const char *earlier;  /* what happened there */
    const gca_place *earlier_place;
    const gca_place *place;
    void *caller; /* where no place is known */
    bool is_checked;
    const char *lines;  /* more to be said, each with its end of line; or NULL */
};

void own_report(const struct own_report *report, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
