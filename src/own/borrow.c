/*
 * own/borrow: who uses an object that is another's, counted in the object's note; and where, in a stack of each thread.
 *
 * Mostly borrows end in the reverse order of their beginning, so the end finds its place on top. One that ends in another thread
 * than it began in is taken out of that one's stack by an exchange. Stacks are only moved under own_lock.
 *
 * Counting is atomic only while there is more than one thread.
 *
 * Uses os, base, heap. Locks: own_lock.
 */
#include "heap/metadata.h"
#include "heap/span.h"
#include "os/thread.h"
#include "own/export.h"
#include "own/self.h"

#include "gcalloc/shared.h"

#include <errno.h>
#include <string.h>

enum { STACK_FIRST = 64 };

/* No address, and no kind of borrow. */
#define LENT_NEVER ((uintptr_t)5 << 60)

struct gca_borrow_ borrow_below = {.lent = LENT_NEVER};

static const char *const section = "borrow conflict";

static struct own_self *_Atomic borrowers; /* threads that have borrowed and live. Under own_lock */

/* 0: it has ended in another thread. */
static uintptr_t get_lent(const struct gca_borrow_ *borrow)
{
    return __atomic_load_n(&borrow->lent, __ATOMIC_RELAXED);
}

static const gca_place *get_place(const struct gca_borrow_ *borrow)
{
    return __atomic_load_n(&borrow->place, __ATOMIC_RELAXED);
}

static const void *object_of(uintptr_t lent)
{
    return (const void *)(lent & ~(GCA_LENT_MUT_ | GCA_LENT_UNCOUNTED_));
}

/* ---- stacks ---- */

/* Only its own thread writes it; others look for places. */
static inline void set_top(struct gca_borrows_ *self, struct gca_borrow_ *top)
{
    __atomic_store_n(&self->top, top, __ATOMIC_RELEASE);
}

static void put_stack(const struct gca_borrows_ *former)
{
    if (former->bottom != &borrow_below + 1)
        metadata_put(former->bottom - 1, (1 + (size_t)(former->limit - former->bottom)) * sizeof *former->bottom);
}

COLD static bool make_room(struct gca_borrows_ *self)
{
    size_t count = (size_t)(self->top - self->bottom);
    size_t room = count == 0 ? STACK_FIRST : 2 * count;
    struct gca_borrow_ *below = metadata_take((1 + room) * sizeof *below);
    if (below == NULL)
        return false;
    if (!own_self.has_exit)
        own_need_exit();
    lock_take(&own_lock);
    memcpy(below, self->bottom - 1, (1 + count) * sizeof *below);
    put_stack(self);
    *self = (struct gca_borrows_){.bottom = below + 1, .top = below + 1 + count, .limit = below + 1 + room};
    if (own_self.borrows == NULL) {
        own_self.borrows = self;
        own_self.next = borrowers;
        borrowers = &own_self;
    }
    lock_release(&own_lock);
    return true;
}

static ALWAYS_INLINE void push(const void *object, uintptr_t kind, struct note *note, const gca_place *place)
{
    struct gca_borrows_ *self = &gca_self_1.borrows;
    if (UNLIKELY(self->top == self->limit) && !make_room(self)) {
        own_self.has_lost_borrows = true;
        return;
    }
    struct gca_borrow_ *top = self->top;
    top->note = (struct gca_note_ *)note;
    __atomic_store_n(&top->place, place, __ATOMIC_RELAXED);
    __atomic_store_n(&top->lent, (uintptr_t)object | kind, __ATOMIC_RELAXED);
    set_top(self, top + 1);
}

/* What ended elsewhere, or before what was on top of it, is 0. */
static void pop_ended(struct gca_borrows_ *self)
{
    while (self->top > self->bottom && get_lent(self->top - 1) == 0)
        set_top(self, self->top - 1);
}

/* Takes the newest such borrow, counted or not, out of a stack. Returns what it was, or 0. */
static uintptr_t take_from(struct gca_borrows_ *self, uintptr_t lent)
{
    for (struct gca_borrow_ *at = __atomic_load_n(&self->top, __ATOMIC_ACQUIRE); at > self->bottom;) {
        uintptr_t found = get_lent(--at);
        if ((found & ~GCA_LENT_UNCOUNTED_) == lent &&
            __atomic_compare_exchange_n(&at->lent, &found, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return found;
    }
    return 0;
}

COLD static uintptr_t take_from_others(uintptr_t lent)
{
    uintptr_t found = 0;
    lock_take(&own_lock);
    for (struct own_self *at = borrowers; at != NULL && found == 0; at = at->next)
        if (at != &own_self)
            found = take_from(at->borrows, lent);
    lock_release(&own_lock);
    return found;
}

NOINLINE static uintptr_t pop_other(uintptr_t lent)
{
    uintptr_t found = take_from(&gca_self_1.borrows, lent);
    pop_ended(&gca_self_1.borrows);
    return found != 0 ? found : take_from_others(lent);
}

/* The note of what is borrowed stays what it is, so the end need not look for it. NULL where it has to. */
static ALWAYS_INLINE uintptr_t pop(uintptr_t lent, struct note **note_out)
{
    struct gca_borrows_ *self = &gca_self_1.borrows;
    struct gca_borrow_ *last = self->top - 1;
    *note_out = NULL;
    if (UNLIKELY(get_lent(last) != lent))
        return pop_other(lent);
    *note_out = (struct note *)last->note;
    set_top(self, last);
    return lent;
}

/* Where the object was last borrowed, by anybody; NULL if nobody knows. own_lock is held. */
static const gca_place *find_place_locked(const void *object)
{
    for (const struct own_self *at = borrowers; at != NULL; at = at->next)
        for (const struct gca_borrow_ *borrow = __atomic_load_n(&at->borrows->top, __ATOMIC_ACQUIRE); borrow > at->borrows->bottom;)
            if ((get_lent(--borrow) & ~GCA_LENT_MUT_) == (uintptr_t)object)
                return get_place(borrow);
    return NULL;
}

static const gca_place *find_place(const void *object)
{
    lock_take(&own_lock);
    const gca_place *place = find_place_locked(object);
    lock_release(&own_lock);
    return place;
}

/* ---- reports ---- */

COLD static void report_conflict(const void *object, const char *title, const gca_place *place, void *caller)
{
    own_report(&(struct own_report){.object = object,
                                    .section = section,
                                    .earlier = "borrowed",
                                    .earlier_place = find_place(object),
                                    .place = place,
                                    .caller = caller,
                                    .is_checked = true},
               "%s", title);
}

static ALWAYS_INLINE bool is_foreign_thread(const struct note *note)
{
    return note_has(note, HOLDER_BOUND) && (note_thread(note) == 0 || note_thread(note) != own_self.thread);
}

COLD static void report_thread(const void *object, const char *what, const gca_place *place, void *caller)
{
    own_report(&(struct own_report){.object = object, .section = "thread ownership", .place = place, .caller = caller, .is_checked = true},
               "%%o is %s by a thread that does not have it", what);
}

bool borrow_may_use(const void *object, const struct note *note, const char *what, void *caller)
{
    if (gca_checks == 0 || !is_foreign_thread(note))
        return true;
    report_thread(object, what, NULL, caller);
    return false;
}

bool borrow_may_end(const void *object, const struct note *note, const char *what, void *caller)
{
    if (LIKELY(gca_checks == 0))
        return true;
    if (!borrow_may_use(object, note, what, caller))
        return false;
    uint32_t borrows = atomic_load_explicit(&note->word, memory_order_relaxed) & NOTE_BORROWS;
    if (LIKELY(borrows == 0))
        return true;
    own_report(&(struct own_report){.object = object,
                                    .section = section,
                                    .earlier = "borrowed",
                                    .earlier_place = find_place(object),
                                    .caller = caller,
                                    .is_checked = true},
               "%%o is %s while it is borrowed", what);
    return false;
}

/* ---- counting ---- */

static bool store_word(struct note *note, uint32_t *expected, uint32_t word)
{
    if (LIKELY(os_is_single_threaded())) {
        atomic_store_explicit(&note->word, word, memory_order_relaxed);
        return true;
    }
    return atomic_compare_exchange_weak_explicit(&note->word, expected, word, memory_order_acq_rel, memory_order_relaxed);
}

/* Whether the borrow could begin. */
static ALWAYS_INLINE bool begin(struct note *note, uintptr_t kind)
{
    uint32_t word = atomic_load_explicit(&note->word, memory_order_relaxed);
    uint32_t more;
    do {
        uint32_t obstacle = kind == GCA_LENT_MUT_ ? word & NOTE_BORROWS : word & NOTE_MUTABLE;
        if (UNLIKELY(obstacle != 0) || UNLIKELY((word & NOTE_SHARED_MAX) == NOTE_SHARED_MAX))
            return false;
        more = kind == GCA_LENT_MUT_ ? word | NOTE_MUTABLE : word + 1;
    } while (UNLIKELY(!store_word(note, &word, more)));
    return true;
}

/* False when no such borrow was counted. */
static ALWAYS_INLINE bool end(struct note *note, uintptr_t kind)
{
    uint32_t word = atomic_load_explicit(&note->word, memory_order_relaxed);
    uint32_t less;
    do {
        if (UNLIKELY((word & (kind == GCA_LENT_MUT_ ? NOTE_MUTABLE : NOTE_SHARED_MAX)) == 0))
            return false;
        less = kind == GCA_LENT_MUT_ ? word & ~(uint32_t)NOTE_MUTABLE : word - 1;
    } while (UNLIKELY(!store_word(note, &word, less)));
    return true;
}

/* NULL for what is not checked, which goes uncounted, and for what has ended, after a report. */
COLD static struct note *note_slowly(const void *object, const gca_place *place)
{
    struct block block;
    struct note *note = NULL;
    if (own_need_note(object, &note) == 0)
        return note;
    if (lookup_block(object, &block) && block.use == USE_MALLOC && !slot_is_allocated(block.state))
        own_report(&(struct own_report){.object = object, .section = section, .place = place, .is_checked = true},
                   "borrow of %%o, which has ended");
    return NULL;
}

/* ---- the program's calls ---- */

static ALWAYS_INLINE void borrow(const void *object, uintptr_t kind, const gca_place *place)
{
    own_see_heap(); /* for the program's quick half, which may not have found it */
    struct note *note = own_noted(object);
    if (UNLIKELY(note == NULL))
        note = note_slowly(object, place);
    if (UNLIKELY(note == NULL)) {
        push(object, kind | GCA_LENT_UNCOUNTED_, NULL, place);
        return;
    }
    if (UNLIKELY(is_foreign_thread(note)))
        report_thread(object, "borrowed", place, NULL);
    bool has_begun = begin(note, kind);
    if (UNLIKELY(!has_begun))
        report_conflict(object, kind == GCA_LENT_MUT_ ? "mutable borrow of %o, which is borrowed" : "borrow of %o, which is mutably borrowed",
                        place, NULL);
    push(object, has_begun ? kind : kind | GCA_LENT_UNCOUNTED_, note, place);
}

static bool try_borrow(const void *object, uintptr_t kind, const gca_place *place)
{
    struct note *note = own_noted(object);
    if (UNLIKELY(note == NULL))
        note = note_slowly(object, place);
    if (note != NULL && (is_foreign_thread(note) || !begin(note, kind)))
        return false;
    push(object, note != NULL ? kind : kind | GCA_LENT_UNCOUNTED_, note, place);
    return true;
}

COLD static void report_no_borrow(const void *object, const gca_place *place)
{
    if (!own_self.has_lost_borrows)
        own_report(&(struct own_report){.object = object, .section = section, .place = place, .is_checked = true},
                   "end of a borrow of %%o, which has ended or never began");
}

static ALWAYS_INLINE void end_borrow(const void *object, uintptr_t kind, const gca_place *place)
{
    struct note *note;
    uintptr_t begun = pop((uintptr_t)object | kind, &note);
    if (UNLIKELY((begun & GCA_LENT_UNCOUNTED_) != 0))
        return;
    if (UNLIKELY(note == NULL))
        note = own_note(object);
    if (UNLIKELY(begun == 0) || UNLIKELY(note == NULL) || UNLIKELY(!end(note, kind)))
        report_no_borrow(object, place);
}

EXPORT const void *gca_borrow_counted(const void *object, const gca_place *place)
{
    if (LIKELY(object != NULL))
        borrow(object, 0, place);
    return object;
}

EXPORT void *gca_borrow_mut_counted(void *object, const gca_place *place)
{
    if (LIKELY(object != NULL))
        borrow(object, GCA_LENT_MUT_, place);
    return object;
}

EXPORT bool gca_try_borrow_counted(const void *object, const gca_place *place)
{
    return object != NULL && try_borrow(object, 0, place);
}

EXPORT bool gca_try_borrow_mut_counted(void *object, const gca_place *place)
{
    return object != NULL && try_borrow(object, GCA_LENT_MUT_, place);
}

EXPORT void gca_end_counted(const void *object, const gca_place *place)
{
    if (LIKELY(object != NULL))
        end_borrow(object, 0, place);
}

EXPORT void gca_end_mut_counted(void *object, const gca_place *place)
{
    if (LIKELY(object != NULL))
        end_borrow(object, GCA_LENT_MUT_, place);
}

static const gca_place scope_end = {"scope", "end of", 0};

EXPORT void gca_end_at(const void *variable)
{
    const void *object;
    memcpy(&object, variable, sizeof object);
    if (gca_checks != 0 && object != NULL)
        end_borrow(object, 0, &scope_end);
}

EXPORT void gca_end_mut_at(const void *variable)
{
    const void *object;
    memcpy(&object, variable, sizeof object);
    if (gca_checks != 0 && object != NULL)
        end_borrow(object, GCA_LENT_MUT_, &scope_end);
}

EXPORT void gca_assert_unborrowed_counted(const void *object, const gca_place *place)
{
    if (gca_borrows(object) != 0)
        report_conflict(object, "%o is borrowed, and must not be here", place, NULL);
}

EXPORT unsigned gca_borrows(const void *object)
{
    struct note *note = own_noted(object);
    if (note == NULL)
        note = own_note(object);
    uint32_t word = note != NULL ? atomic_load_explicit(&note->word, memory_order_relaxed) : 0;
    return (word & NOTE_MUTABLE) != 0 ? 1 : word & NOTE_SHARED_MAX;
}

/* ---- borrows that never end ---- */

EXPORT size_t gca_report_borrows(void)
{
    size_t count = 0;
    pop_ended(&gca_self_1.borrows);
    for (const struct gca_borrow_ *at = gca_self_1.borrows.bottom; at < gca_self_1.borrows.top; at++) {
        uintptr_t lent = get_lent(at);
        if (lent == 0 || (lent & GCA_LENT_UNCOUNTED_) != 0)
            continue;
        count++;
        own_report(&(struct own_report){.object = object_of(lent), .section = section, .earlier = "borrowed", .earlier_place = get_place(at), .is_checked = true},
                   "a %sborrow of %%o has not ended", (lent & GCA_LENT_MUT_) != 0 ? "mutable " : "");
    }
    return count;
}

void borrow_each(void (*visit)(const void *object, void *context), void *context)
{
    lock_take(&own_lock);
    for (const struct own_self *self = borrowers; self != NULL; self = self->next)
        for (const struct gca_borrow_ *at = self->borrows->bottom; at < __atomic_load_n(&self->borrows->top, __ATOMIC_ACQUIRE); at++)
            if (get_lent(at) != 0 && (get_lent(at) & GCA_LENT_UNCOUNTED_) == 0)
                visit(object_of(get_lent(at)), context);
    lock_release(&own_lock);
}

static void unlist(void)
{
    lock_take(&own_lock);
    if (borrowers == &own_self) {
        borrowers = own_self.next;
    } else {
        struct own_self *at = borrowers;
        while (at != NULL && at->next != &own_self)
            at = at->next;
        if (at != NULL)
            at->next = own_self.next;
    }
    struct gca_borrows_ former = gca_self_1.borrows;
    own_self.borrows = NULL;
    gca_self_1.borrows = (struct gca_borrows_)BORROWS_NONE;
    lock_release(&own_lock);
    put_stack(&former);
}

void borrow_thread_exit(void)
{
    if (own_self.borrows == NULL)
        return;
    if (gca_checks != 0)
        gca_report_borrows();
    unlist();
}

/* ---- one thread's own ---- */

EXPORT int gca_bind(void *object)
{
    struct note *note;
    int result = own_need_note(object, &note);
    uint32_t number = result == 0 ? merge_number() : 0;
    if (result == 0 && number == 0)
        return -ENOMEM;
    if (result != 0)
        return result;
    if (note_thread(note) != 0 && note_thread(note) != number) {
        if (gca_checks == 0)
            return -EINVAL;
        report_thread(object, "bound", NULL, CALLER);
        return -EINVAL;
    }
    note_set(note, HOLDER_BOUND | number);
    return 0;
}

/* A counted object's holder can't change: all count alike from then on. */
EXPORT int gca_send(void *object)
{
    struct note *note = own_note(object);
    if (note == NULL || !note_has(note, HOLDER_BOUND))
        return -EINVAL;
    if (is_foreign_thread(note)) {
        if (gca_checks != 0)
            report_thread(object, "sent", NULL, CALLER);
        return -EINVAL;
    }
    if (note_has(note, HOLDER_COUNTED))
        gca_share_freely(object);
    note_unset(note, HOLDER_THREAD);
    return 0;
}

EXPORT int gca_receive(void *object)
{
    struct note *note = own_note(object);
    uint32_t number = merge_number();
    if (note == NULL || number == 0 || !note_has(note, HOLDER_BOUND))
        return note == NULL || number != 0 ? -EINVAL : -ENOMEM;
    uint32_t holder = atomic_load(&note->holder);
    do {
        if ((holder & HOLDER_THREAD) != 0 && gca_checks == 0)
            return -EINVAL;
        if ((holder & HOLDER_THREAD) != 0) {
            own_report(&(struct own_report){.object = object, .section = "thread ownership", .caller = CALLER, .is_checked = true},
                       "%%o is received, but was not sent");
            return -EINVAL;
        }
    } while (!atomic_compare_exchange_weak(&note->holder, &holder, holder | number));
    return 0;
}

EXPORT void gca_assert_mine_counted(const void *object, const gca_place *place)
{
    struct note *note = own_note(object);
    if (note != NULL && is_foreign_thread(note))
        report_thread(object, "used", place, NULL);
}
