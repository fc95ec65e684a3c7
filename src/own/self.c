/*
 * own/self: what ownership keeps for each thread, and its beginning.
 *
 * Uses os, base, heap. Locks: own_lock.
 */
#include "own/self.h"

#include "base/image.h"
#include "heap/misuse.h"
#include "heap/thread.h"
#include "os/thread.h"
#include "own/arena.h"
#include "own/export.h"
#include "own/repeats.h"
#include "own/types.h"

#include "gcalloc/shared.h"

#include <errno.h>
#include <pthread.h>

_Thread_local struct own_self own_self __attribute__((tls_model("initial-exec")));

/* The number once more, as what the fast paths compare with: of a thread without one, nobody's. */
EXPORT __thread struct gca_self_ gca_self_1 __attribute__((tls_model("initial-exec"))) = {
    .holder = UINT32_MAX,
    .borrows = BORROWS_NONE,
};

/* What gcalloc/count.h says of our tables. If one of these has to change gca_self_1 gets another name. */
_Static_assert(offsetof(struct gca_unit_, states) == offsetof(struct unit, states), "count.h: units");
_Static_assert(offsetof(struct gca_unit_, start) == offsetof(struct unit, start), "count.h: units");
_Static_assert(offsetof(struct gca_unit_, reciprocal) == offsetof(struct unit, reciprocal), "count.h: units");
_Static_assert(offsetof(struct gca_unit_, notes) == offsetof(struct unit, notes), "count.h: units");
_Static_assert(sizeof(struct gca_unit_) == sizeof(struct unit) && (int)GCA_UNIT_SHIFT_ == (int)UNIT_SHIFT, "count.h: units");
_Static_assert(offsetof(struct gca_note_, holder) == offsetof(struct note, holder), "count.h: notes");
_Static_assert(offsetof(struct gca_note_, word) == offsetof(struct note, word), "count.h: notes");
_Static_assert(offsetof(struct gca_note_, strong) == offsetof(struct note, strong), "count.h: notes");
_Static_assert(sizeof(struct gca_note_) == sizeof(struct note), "count.h: notes");
_Static_assert((uint32_t)GCA_HOLDER_MASK_ == ((uint32_t)HOLDER_THREAD | HOLDER_BOUND), "count.h: holders");
_Static_assert((uint32_t)GCA_WATCHED_ == (uint32_t)HOLDER_WATCHED && (uint32_t)GCA_DYING_ == (uint32_t)HOLDER_DYING, "count.h: holders");
_Static_assert((uint32_t)GCA_GENERATION_SHIFT_ == (uint32_t)NOTE_GENERATION_SHIFT, "count.h: generations");

/* Likewise of gcalloc/lend.h. */
_Static_assert((uint32_t)GCA_MUTABLE_ == (uint32_t)NOTE_MUTABLE && (uint32_t)GCA_SHARED_MAX_ == (uint32_t)NOTE_SHARED_MAX, "lend.h: words");
_Static_assert((uint32_t)GCA_BOUND_ == (uint32_t)HOLDER_BOUND, "lend.h: holders");
_Static_assert((uint32_t)GCA_NOTED_ == ((uint32_t)SLOT_NOTED | 1), "lend.h: states");

struct lock own_lock;

EXPORT int gca_checks;

static _Atomic bool is_started;
static pthread_key_t exit_key;

/* ---- what the heap asks ---- */

/* free() of a noted block. own_end() has been here before when it is dropped. */
static bool on_freeing(const struct block *block, void *caller)
{
    void *object = (void *)block->start;
    struct note *note = note_of(block);
    if (note == NULL)
        return true;
    if (note_has(note, HOLDER_DYING)) {
        if (note_has(note, HOLDER_EDGES))
            edges_end(object, NULL);
        types_forget(block);
        return true;
    }
    if (!borrow_may_end(object, note, "freed", caller))
        return false;
    if (note_has(note, HOLDER_COUNTED)) {
        own_report(&(struct own_report){.object = object, .section = "ownership misuse", .caller = caller},
                   "free() of %%o, which has %u reference%s: gca_release() gives one up", gca_count(object),
                   gca_count(object) == 1 ? "" : "s");
        return false;
    }
    if (note_has(note, HOLDER_EDGES)) {
        if (edges_count(object) != 0 && gca_checks != 0)
            own_report(&(struct own_report){.object = object, .section = "ownership misuse", .caller = caller, .is_checked = true},
                       "free() of %%o, which owns %zu: gca_drop() drops them", edges_count(object));
        edges_end(object, NULL);
    }
    types_forget(block);
    return true;
}

static bool on_resizing(const struct block *block, void *caller)
{
    void *object = (void *)block->start;
    struct note *note = note_of(block);
    if (note == NULL)
        return true;
    if (!borrow_may_end(object, note, "resized", caller))
        return false;
    if (!note_has(note, HOLDER_COUNTED) || gca_count(object) <= 1)
        return true;
    own_report(&(struct own_report){.object = object, .section = "ownership misuse", .caller = caller},
               "realloc() of %%o, which has %u references", gca_count(object));
    return false;
}

/* Type, owners and a single reference go along; weak references do not, for they mean the address. */
static bool on_moved(const struct block *from, const struct block *to)
{
    struct note *note = note_of(from);
    if (note == NULL)
        return true;
    struct note *other = note_need(to);
    gca_type *type = types_of(from);
    if (other == NULL || (type != NULL && types_set(to, type) != 0))
        return false;
    uint32_t kept = HOLDER_COUNTED | HOLDER_CYCLIC | HOLDER_WATCHED | HOLDER_EDGES | HOLDER_BOUND | HOLDER_THREAD;
    if (note_has(note, HOLDER_SUSPECT))
        cycles_forget((void *)from->start, note);
    atomic_store(&other->strong, atomic_load(&note->strong));
    atomic_store(&other->others, atomic_load(&note->others));
    note_set(other, atomic_load(&note->holder) & kept);
    if (note_has(note, HOLDER_EDGES))
        edges_moved((void *)from->start, (void *)to->start);
    note_unset(note, HOLDER_COUNTED | HOLDER_EDGES | HOLDER_BOUND);
    note_set(note, HOLDER_DYING);
    return true;
}

static void on_reclaimed(const struct block *block)
{
    types_forget(block);
}

/* ---- beginning and end ---- */

static void on_thread_exit(void *argument)
{
    (void)argument;
    borrow_thread_exit();
    cycles_thread_exit();
    merge_thread_exit();
    pile_free(&own_self.ending);
    own_self.has_exit = false;
}

static void before_fork(void)
{
    lock_take(&own_lock);
}

static void after_fork(void)
{
    lock_release(&own_lock);
}

static void after_fork_in_child(void)
{
    lock_reset(&own_lock);
    repeats_reset();
}

COLD static void start(void)
{
    static const struct heap_noter noter = {on_freeing, on_resizing, on_moved, on_reclaimed};
    static struct lock start_lock;
    thread_heap_done(thread_heap_get()); /* the options */
    lock_take(&start_lock);
    if (!atomic_load_explicit(&is_started, memory_order_relaxed) &&
        pthread_key_create(&exit_key, on_thread_exit) == 0) {
        misuse_register_chunks(own_describe);
        pthread_atfork(before_fork, after_fork, after_fork_in_child);
        gca_checks = options_now()->check != CHECK_OFF;
        atomic_store_explicit(&heap_noter, &noter, memory_order_release);
        atomic_store_explicit(&is_started, true, memory_order_release);
    }
    lock_release(&start_lock);
}

void own_start(void)
{
    if (UNLIKELY(!atomic_load_explicit(&is_started, memory_order_acquire)))
        start();
}

COLD void own_need_exit(void)
{
    own_start();
    own_self.has_exit = true;
    pthread_setspecific(exit_key, &own_self);
}

/* ---- notes ---- */

bool own_block(const void *object, struct block *block_out)
{
    return lookup_block(object, block_out) && block_out->start == (uintptr_t)object && block_is_allocated(block_out);
}

struct note *own_note(const void *object)
{
    struct note *note = note_quick(object);
    struct block block;
    if (LIKELY(note != NULL))
        return note;
    return own_block(object, &block) ? note_of(&block) : NULL;
}

int own_need_note(const void *object, struct note **note_out)
{
    struct block block;
    struct note *note = own_noted(object);
    if (LIKELY(note != NULL)) {
        *note_out = note;
        return 0;
    }
    if (!own_block(object, &block))
        return -EINVAL;
    own_start();
    *note_out = note_need(&block);
    return *note_out != NULL ? 0 : -ENOMEM;
}
