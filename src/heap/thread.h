/*
 * heap/thread: one thread's heap: its buffers, its spans, what others have freed of them.
 *
 * A thread heap lives for ever. When its thread ends it is parked, and the next new thread takes it over as it is; other
 * threads may take spans from it meanwhile. heap_self of a thread without a heap points to thread_heap_none, which is
 * read-only and whose buffers are both empty and full, so that the fast paths need no test for it.
 */
#ifndef HEAP_THREAD_H
#define HEAP_THREAD_H

#include "base/compiler.h"
#include "base/lock.h"
#include "heap/sizes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct span;
struct unit;

/* A free slot and its state byte: allocating it needs nothing else. */
struct entry {
    void *slot;
    uint8_t *state;
};

/*
 * Free slots of one class that the thread keeps at hand; last in, first out, since what was freed last is in the cache.
 * base <= top <= limit; all three are NULL until the class is first used.
 */
struct buffer {
    struct entry *top;   /* behind the last entry */
    struct entry *base;
    struct entry *limit; /* base plus the capacity */
    uint8_t allocated_state; /* what malloc writes into the state byte: SLOT_ALLOCATED and the present birth */
    int8_t pressure;         /* how often it ran empty or full since its room was last changed */
    int8_t turns;            /* how often in succession it last ran full; or empty, as a negative number */
    int8_t bursts;           /* how many more of such successions were long than short */
    uint8_t padding[4];      /* a buffer is found by a shift */
};

/* The buffer has room. */
static ALWAYS_INLINE void buffer_push(struct buffer *buffer, void *slot, uint8_t *state)
{
    struct entry *entry = buffer->top;
    entry->slot = slot;
    entry->state = state;
    buffer->top = entry + 1;
}

enum { OUTBOX_COUNT = 4, KEPT_UNITS_MAX = 63 };

/* A batch being filled with slots of one other heap. */
struct outbox {
    struct thread_heap *owner;
    struct batch *batch;
};

/*
 * `buffers`, `outboxes`, `spare` and `kept` are the owning thread's alone. The spans' lists and bits are under `lock`, which
 * the owner takes on slow paths only, so that others can empty the inbox of a thread that sleeps, adopt spans, count,
 * and fork.
 */
struct thread_heap {
    struct buffer buffers[CLASS_COUNT];
    struct outbox outboxes[OUTBOX_COUNT];
    struct batch *spare;       /* empty batches of this heap's */
    struct unit *kept[KEPT_UNITS_MAX + 1]; /* first units of blocks of so many units: see heap/kept.h */
    uint64_t kept_counts;                  /* a bit for each of these lists that is not empty */
    uint32_t kept_units;                   /* of all of them */
    uint32_t kept_missed;                  /* allocations in succession that none of them served */
    uint32_t kept_served;                  /* allocations that one of them served, modulo 2^32 */
    uint8_t wanted_class;      /* the exact class of the size that the thread last came to a slow path for */
    uint32_t exit_rounds;      /* how often the thread's destructors have reached us */
    uint8_t warm;              /* parked with its buffers full. Under the parked lock */
    struct lock lock;
    _Atomic bool orphaned;     /* its thread vanished in a fork: to be rebuilt before use. Under the parked lock */
    _Atomic uint8_t parked;    /* no thread uses it any more, or it soon is in the list */
    uint8_t in_parked_list;    /* under the parked lock */
    int32_t thread_id;         /* of the thread that has it, or had it last */
    struct batch *_Atomic inbox;
    struct batch *_Atomic returned; /* batches of this heap's that others have emptied */
    _Atomic size_t inbox_bytes;
    struct span *listed[CLASS_COUNT];  /* spans that offer slots, roughly lowest address first, in a ring */
    uint16_t last_count[CLASS_COUNT];  /* what each buffer held when idle ones were last looked for */
    size_t grown_units;                /* taken for spans since then */
    void *_Atomic holding;             /* what its thread is about to hold, and at the last turn was: see heap/limbo.h */
    void *was_holding;
    size_t held_bytes;                 /* held by its thread and not accounted for yet */
    int64_t guard_left;                /* allocations to the next guarded one, and what it is drawn from: see heap/guard.h */
    uint64_t guard_random;
    void *recorder_place;              /* what heap_recorder keeps for the thread; the next one gets it with the heap */
    struct thread_heap *next_parked;
    struct thread_heap *next; /* in the list of all heaps, image->heaps */
};

_Static_assert(sizeof(struct buffer) == 32, "found by a shift");
_Static_assert(sizeof(struct thread_heap) <= 4096, "a thread costs about a page for this");

extern const struct thread_heap thread_heap_none;

extern _Thread_local struct thread_heap *heap_self __attribute__((tls_model("initial-exec")));

/* Starts gcalloc if nobody has, and memory is there. A thread that has a heap sees all that the start has set. */
void thread_heap_start(void);

/*
 * The calling thread's heap, made or taken over if it has none. NULL when memory is short. Starts gcalloc itself on the
 * first call in the process.
 */
struct thread_heap *thread_heap_get(void);

/*
 * A thread whose heap is already parked (its last destructors still run) borrows one for a single operation. Every call
 * that got a heap from thread_heap_get() ends with this, which is two compares for everybody else. No lock is held.
 */
void thread_heap_done(struct thread_heap *heap);

/* The calling thread's heap if it has one, or NULL. */
static inline struct thread_heap *thread_heap_peek(void)
{
    return heap_self == &thread_heap_none ? NULL : heap_self;
}

/*
 * Takes a span of the class that offers slots from a parked heap. The span is in no list and belongs to `heap`, whose
 * lock is not held. NULL when there is none.
 */
struct span *thread_heap_adopt_span(struct thread_heap *heap, uint32_t class_index);

/* Links and unlinks a span that offers slots. The heap's lock is held. */
void thread_heap_list(struct thread_heap *heap, struct span *span);
void thread_heap_unlist(struct thread_heap *heap, struct span *span);

/*
 * Empties the calling thread's heap as far as it goes: buffers and outboxes into spans and inboxes, and gives up every
 * empty span.
 */
void thread_heap_flush(struct thread_heap *heap);

/* The same for all parked heaps. */
void thread_heap_flush_parked(void);

/* In the child of a fork: makes the spans of threads that are gone whole, if anybody still waits for that. */
void thread_heap_rebuild(void);

/* Calls visit for each thread heap there ever was. No lock is needed: heaps are only added. */
void thread_heap_each(void (*visit)(struct thread_heap *heap, void *context), void *context);

/* Takes and releases every lock of this file, in lock order: around a fork, and to look at all heaps at once. */
void thread_heap_lock_all(void);
void thread_heap_unlock_all(void);
void thread_heap_after_fork_in_child(void);

#endif
