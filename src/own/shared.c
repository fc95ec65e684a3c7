/*
 * own/shared: references, counted by the thread that holds the object in plain memory and by all others atomically, and weak
 * references. See own/merge.c.
 *
 * An object's end is decided by one atomic operation on note->others: that which sets OTHERS_MERGED with no references left, or
 * takes the last of a merged one. Whoever upgrades a weak reference adds to `others` unless it is merged and zero, so
 * it comes before that or is refused.
 *
 * Uses base, heap. Locks: none of its own.
 */
#include "heap/collector.h"
#include "heap/span.h"
#include "own/ending.h"
#include "own/export.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/own.h"

#include <errno.h>

#undef gca_release
#undef gca_upgrade
#undef gca_get

static const char *const section = "ownership misuse";

static int32_t count_of(int32_t others)
{
    return others >> 4;
}

static bool is_mine(uint32_t holder)
{
    return (holder & HOLDER_THREAD) == own_self.thread;
}

COLD static void report(const char *function, const void *object, const char *why, void *caller)
{
    own_report(&(struct own_report){.object = object, .section = section, .caller = caller}, "%s(%%o): %s", function, why);
}

/* The note of an object that is counted; NULL after a report. */
COLD static struct note *counted(const void *object, const char *function, void *caller)
{
    struct block block;
    struct note *note = own_block(object, &block) && slot_is_noted(block.state) ? note_of(&block) : NULL;
    if (note == NULL || !note_has(note, HOLDER_COUNTED))
        report(function, object, "not a counted object, or one that has ended", caller);
    else if (note_has(note, HOLDER_DYING))
        report(function, object, "has no references left, and is being dropped", caller);
    else
        return note;
    return NULL;
}

/* ---- retain ---- */

COLD static void *retain_slowly(const void *object, void *caller)
{
    if (object == NULL)
        return NULL;
    own_see_heap();
    struct note *note = counted(object, "gca_retain", caller);
    if (note == NULL)
        return NULL;
    if (is_mine(atomic_load_explicit(&note->holder, memory_order_relaxed)) &&
        atomic_load_explicit(&note->strong, memory_order_relaxed) != 0)
        atomic_store_explicit(&note->strong, atomic_load_explicit(&note->strong, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&note->others, OTHERS_ONE, memory_order_relaxed);
    return (void *)(uintptr_t)object;
}

/*
 * Who holds an object that is not bound has references to it: `strong` is not 0. A thread without a number matches no holder.
 */
EXPORT void *gca_retain_of(const void *object)
{
    struct note *note = note_around(object);
    if (UNLIKELY(note == NULL))
        return retain_slowly(object, CALLER);
    uint32_t holder = atomic_load_explicit(&note->holder, memory_order_relaxed);
    if (UNLIKELY((holder & (HOLDER_THREAD | HOLDER_BOUND)) != gca_self_1.holder))
        return retain_slowly(object, CALLER);
    uint32_t strong = atomic_load_explicit(&note->strong, memory_order_relaxed);
    atomic_store_explicit(&note->strong, strong + 1, memory_order_relaxed);
    return (void *)(uintptr_t)object;
}

/* ---- release ---- */

/* The holder's last reference goes: from here on all count in `others`. */
static bool release_last_own(void *object, struct note *note)
{
    uint32_t holder = atomic_load_explicit(&note->holder, memory_order_relaxed);
    if ((holder & HOLDER_SUSPECT) != 0)
        cycles_forget(object, note);
    atomic_store_explicit(&note->strong, 0, memory_order_relaxed);
    /* Without weak references, and others' own, there is no way for anybody to come by one: it ends. */
    if ((holder & (HOLDER_NUMBERED | HOLDER_BOUND)) == 0 && atomic_load_explicit(&note->others, memory_order_acquire) == 0) {
        atomic_store_explicit(&note->others, OTHERS_MERGED, memory_order_relaxed);
        atomic_store_explicit(&note->holder, HOLDER_COUNTED | (holder & HOLDER_EDGES), memory_order_relaxed);
        return true;
    }
    if ((holder & HOLDER_BOUND) == 0)
        note_unset(note, HOLDER_THREAD);
    int32_t old = atomic_fetch_or_explicit(&note->others, OTHERS_MERGED, memory_order_acq_rel);
    return (old & OTHERS_QUEUED) == 0 && count_of(old) == 0;
}

static bool release_own(void *object, struct note *note, uint32_t strong)
{
    if (strong == 1)
        return release_last_own(object, note);
    atomic_store_explicit(&note->strong, strong - 1, memory_order_relaxed);
    if (note_has(note, HOLDER_WATCHED))
        cycles_suspect(object, note);
    return false;
}

/* After the exchange the object may be gone, but for one that is queued by it. */
static bool release_other(void *object, struct note *note, void *caller)
{
    int32_t old = atomic_load_explicit(&note->others, memory_order_relaxed);
    int32_t less;
    do {
        less = old - OTHERS_ONE;
        if ((old & OTHERS_MERGED) == 0 && count_of(less) < 0)
            less |= OTHERS_QUEUED;
        if ((old & OTHERS_MERGED) != 0 && count_of(less) < 0) {
            report("gca_release", object, "has no references left", caller);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&note->others, &old, less, memory_order_acq_rel, memory_order_relaxed));
    if ((less & ~old & OTHERS_QUEUED) != 0)
        return merge_later(object, note);
    return (less & (OTHERS_MERGED | OTHERS_QUEUED)) == OTHERS_MERGED && count_of(less) == 0;
}

bool shared_release(void *object, struct note *note, void *caller)
{
    uint32_t holder = atomic_load_explicit(&note->holder, memory_order_relaxed);
    uint32_t strong = atomic_load_explicit(&note->strong, memory_order_relaxed);
    return is_mine(holder) && strong != 0 ? release_own(object, note, strong) : release_other(object, note, caller);
}

NOINLINE static void release_slowly(void *object, void *caller)
{
    if (object == NULL)
        return;
    own_see_heap();
    struct note *note = note_quick(object);
    if (note == NULL || (atomic_load_explicit(&note->holder, memory_order_relaxed) & (HOLDER_COUNTED | HOLDER_DYING)) != HOLDER_COUNTED)
        note = counted(object, "gca_release", caller);
    if (note == NULL)
        return;
    if (UNLIKELY(merge_waits()))
        merge_own();
    if (note_has(note, HOLDER_BOUND) && !borrow_may_use(object, note, "released", caller))
        return;
    if (shared_release(object, note, caller) && borrow_may_end(object, note, "released for good", caller))
        own_end(object);
}

/*
 * The last reference, which this thread has, and nobody else ever had one that counts, goes, as in release_last_own(); and the
 * object with it, for there is no more to it than its holder.
 */
static ALWAYS_INLINE bool release_last_quickly(const struct spot *spot, uint32_t holder)
{
    uint32_t *id = spot_id(spot);
    struct typed_entry *entry = LIKELY(id != NULL) ? types_entry(*id) : NULL;
    if (UNLIKELY(id == NULL) || UNLIKELY(merge_waits()) || UNLIKELY(!is_plain(entry->type)) || !is_unborrowed(spot->note) ||
        UNLIKELY(holder != (HOLDER_COUNTED | gca_self_1.holder)) ||
        UNLIKELY(atomic_load_explicit(&spot->note->others, memory_order_acquire) != 0))
        return false;
    atomic_store_explicit(&spot->note->strong, 0, memory_order_relaxed);
    atomic_store_explicit(&spot->note->holder, 0, memory_order_relaxed);
    free_spot(spot, id, entry);
    return true;
}

/* As in gca_retain_of(), strong is not 0 where the holder is ours. */
EXPORT void gca_release(void *object)
{
    struct spot spot;
    if (UNLIKELY(!spot_find_own(object, &spot)))
        return release_slowly(object, CALLER);
    uint32_t holder = atomic_load_explicit(&spot.note->holder, memory_order_relaxed);
    uint32_t strong = atomic_load_explicit(&spot.note->strong, memory_order_relaxed);
    if (LIKELY(strong == 1) && LIKELY(release_last_quickly(&spot, holder)))
        return;
    if (UNLIKELY((holder & (HOLDER_THREAD | HOLDER_BOUND | HOLDER_WATCHED)) != gca_self_1.holder) || UNLIKELY(strong == 1))
        return release_slowly(object, CALLER);
    atomic_store_explicit(&spot.note->strong, strong - 1, memory_order_relaxed);
}

/* ---- beginning, asking ---- */

EXPORT int gca_share(void *object)
{
    struct note *note;
    int result = own_need_note(object, &note);
    if (result == -EINVAL)
        report("gca_share", object, "not an object, or one that has ended", CALLER);
    if (result != 0)
        return result;
    if (note_has(note, HOLDER_COUNTED) || gca_owner_of(object) != NULL) {
        report("gca_share", object, note_has(note, HOLDER_COUNTED) ? "is counted already" : "has an owner", CALLER);
        return -EINVAL;
    }
    const gca_type *type = gca_type_of(object);
    uint32_t thread = merge_number();
    atomic_store_explicit(&note->strong, thread != 0, memory_order_relaxed);
    atomic_store_explicit(&note->others, thread != 0 ? 0 : OTHERS_ONE | OTHERS_MERGED, memory_order_relaxed);
    note_set(note, thread);
    note_set(note, HOLDER_COUNTED | (type != NULL && type->pointer_count != 0 ? HOLDER_CYCLIC | HOLDER_WATCHED : 0));
    return 0;
}

static struct note *quietly_counted(const void *object)
{
    struct block block;
    struct note *note = own_block(object, &block) && slot_is_noted(block.state) ? note_of(&block) : NULL;
    return note != NULL && note_has(note, HOLDER_COUNTED) ? note : NULL;
}

EXPORT uint32_t gca_count(const void *object)
{
    const struct note *note = quietly_counted(object);
    if (note == NULL)
        return 0;
    int64_t sum = (int64_t)atomic_load_explicit(&note->strong, memory_order_relaxed) +
                  count_of(atomic_load_explicit(&note->others, memory_order_relaxed));
    return sum > 0 ? (uint32_t)sum : 0;
}

/* Nobody can upgrade to a reference of it from then on. */
static bool take_only(void *object, struct note *note)
{
    bool is_own = is_mine(atomic_load(&note->holder)) && atomic_load(&note->strong) == 1;
    int32_t only = is_own ? 0 : OTHERS_MERGED | OTHERS_ONE;
    if ((!is_own && atomic_load(&note->strong) != 0) ||
        !atomic_compare_exchange_strong(&note->others, &only, OTHERS_MERGED))
        return false;
    if (note_has(note, HOLDER_SUSPECT))
        cycles_forget(object, note);
    atomic_store(&note->strong, 0);
    return true;
}

EXPORT void *gca_unwrap_of(void *object)
{
    struct note *note = counted(object, "gca_unwrap", CALLER);
    if (note == NULL || !take_only(object, note))
        return NULL;
    note_unset(note, HOLDER_COUNTED | HOLDER_CYCLIC | HOLDER_WATCHED | (note_has(note, HOLDER_BOUND) ? 0 : HOLDER_THREAD));
    return object;
}

EXPORT void *gca_unique_at(void *variable)
{
    void **place = variable;
    void *object = *place;
    if (counted(object, "gca_unique", CALLER) == NULL) {
        errno = EINVAL;
        return NULL;
    }
    if (gca_count(object) == 1)
        return object;
    void *copy = gca_clone_of(object);
    if (copy == NULL)
        return NULL;
    if (gca_share(copy) != 0) {
        own_end(copy);
        errno = ENOMEM;
        return NULL;
    }
    *place = copy;
    heap_collector_stored(place, copy);
    gca_release(object);
    return copy;
}

EXPORT void gca_share_freely(void *object)
{
    struct note *note = counted(object, "gca_share_freely", CALLER);
    if (note == NULL || !is_mine(atomic_load(&note->holder)) || atomic_load(&note->strong) == 0)
        return;
    if (note_has(note, HOLDER_SUSPECT))
        cycles_forget(object, note);
    uint32_t strong = atomic_exchange(&note->strong, 0);
    if (!note_has(note, HOLDER_BOUND))
        note_unset(note, HOLDER_THREAD);
    atomic_fetch_add(&note->others, (int32_t)(strong * OTHERS_ONE));
    atomic_fetch_or(&note->others, OTHERS_MERGED);
}

/* ---- weak references ---- */

enum { GENERATION_BITS = 20 };

static void *address_of(gca_weak weak)
{
    return (void *)(weak.word >> GENERATION_BITS << 4);
}

static bool is_generation(const struct note *note, gca_weak weak)
{
    return note_generation(atomic_load_explicit(&note->word, memory_order_acquire)) == (weak.word & NOTE_GENERATION_MAX);
}

EXPORT gca_weak gca_downgrade(const void *object)
{
    struct note *note;
    int result = own_need_note(object, &note);
    uint32_t generation = result == 0 ? note_generation(atomic_load(&note->word)) : 0;
    if (result != 0 || generation == NOTE_GENERATION_MAX || note_has(note, HOLDER_DYING)) {
        errno = result == -EINVAL ? EINVAL : ENOMEM;
        return (gca_weak){0};
    }
    if (!note_has(note, HOLDER_NUMBERED))
        note_set(note, HOLDER_NUMBERED);
    return (gca_weak){(uint64_t)(uintptr_t)object >> 4 << GENERATION_BITS | generation};
}

/* Large blocks, too; their notes are found by their spans. */
static struct note *find_weak(gca_weak weak)
{
    struct block block;
    void *object = address_of(weak);
    struct note *note = note_quick(object);
    if (note == NULL && weak.word != 0 && lookup_block(object, &block) && block.start == (uintptr_t)object)
        note = note_of(&block);
    return note != NULL && is_generation(note, weak) ? note : NULL;
}

EXPORT void *gca_get(gca_weak weak)
{
    struct note *note = note_around(address_of(weak));
    if (UNLIKELY(note == NULL) || UNLIKELY(!is_generation(note, weak)))
        note = find_weak(weak);
    own_see_heap();
    return note != NULL && LIKELY(!note_has(note, HOLDER_DYING)) ? address_of(weak) : NULL;
}

/* One reference more, unless there is none left to begin with. */
static bool add_other(struct note *note)
{
    int32_t old = atomic_load_explicit(&note->others, memory_order_relaxed);
    do {
        while (UNLIKELY((old & OTHERS_CLAIMED) != 0))
            old = atomic_load_explicit(&note->others, memory_order_acquire);
        if ((old & OTHERS_MERGED) != 0 && count_of(old) <= 0)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&note->others, &old, old + OTHERS_ONE, memory_order_acq_rel,
                                                    memory_order_relaxed));
    return true;
}

/* What its unit says of notes; 0 outside the heap. */
static uintptr_t notes_at(const void *address)
{
    return heap_contains(address) ? __atomic_load_n(&unit_at(address)->notes, __ATOMIC_ACQUIRE) : 0;
}

/*
 * The object may end, and another take its place, at any moment before the reference is counted; then it was counted for that
 * other one, which nobody could end meanwhile, and is given up again.
 */
COLD static void *upgrade_slowly(gca_weak weak)
{
    own_see_heap();
    uintptr_t notes = notes_at(address_of(weak));
    struct note *note = find_weak(weak);
    if (note == NULL || notes != notes_at(address_of(weak)) || (atomic_load_explicit(&note->holder, memory_order_acquire) & (HOLDER_COUNTED | HOLDER_DYING)) != HOLDER_COUNTED)
        return NULL;
    uint32_t strong = atomic_load_explicit(&note->strong, memory_order_relaxed);
    if (is_mine(atomic_load_explicit(&note->holder, memory_order_relaxed)) && strong != 0) {
        atomic_store_explicit(&note->strong, strong + 1, memory_order_relaxed);
        return address_of(weak);
    }
    if (!add_other(note))
        return NULL;
    if (LIKELY(find_weak(weak) == note && note_has(note, HOLDER_COUNTED)))
        return address_of(weak);
    void *other = note_slot((const struct note *)(notes - 1), note);
    if (release_other(other, note, NULL))
        own_end(other);
    return NULL;
}

EXPORT void *gca_upgrade(gca_weak weak)
{
    void *object = address_of(weak);
    struct note *note = note_around(object);
    if (UNLIKELY(note == NULL))
        return upgrade_slowly(weak);
    uint32_t holder = atomic_load_explicit(&note->holder, memory_order_relaxed);
    if (UNLIKELY((holder & (HOLDER_THREAD | HOLDER_BOUND)) != gca_self_1.holder) || UNLIKELY(!is_generation(note, weak)) ||
        UNLIKELY(note_around(object) != note))
        return upgrade_slowly(weak);
    uint32_t strong = atomic_load_explicit(&note->strong, memory_order_relaxed);
    atomic_store_explicit(&note->strong, strong + 1, memory_order_relaxed);
    return object;
}
