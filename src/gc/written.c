/*
 * gc/written: which pages of the heap have been written since a moment.
 *
 * The program's word is a byte a page, a card. A thread stores an address, then sets the card, and keeps the address in a register
 * until then. The helper clears the card, then reads the page: if it does not see the store, the card is set after it was cleared.
 * If the thread is stopped between the two, the address is a root.
 *
 * Uses os, base, heap. Locks: that of the cycle, for whose word is taken.
 */
#include "gc/written.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"
#include "gc/crew.h"
#include "gc/roots.h"
#include "heap/layout.h"
#include "heap/unit.h"
#include "os/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { CARDS_AHEAD = 2 /* times the heap's */ };

static struct {
    char *start; /* room for all the heap may ever be; as much is committed as `count` says */
    size_t room;
    unsigned shift; /* a card is a page */
    _Atomic size_t count;
    _Atomic bool are_lost; /* the program has written beyond */
} cards;

static _Atomic bool program_tells;
static bool program_told; /* at the last renewal */
static bool knows_cards;  /* what was written before that is known */
static bool cards_are_known; /* and was when this look through all began */

static struct area lookers; /* of the crew's members */

static uintptr_t heap_start(void)
{
    return heap_layout.slots_start;
}

static uintptr_t heap_end(void)
{
    return heap_start() + (atomic_load_explicit(&image_now->units_used, memory_order_acquire) << UNIT_SHIFT);
}

/* ---- cards ---- */

void written_tell(const void *start, size_t size_bytes, const void *value)
{
    if (!atomic_load_explicit(&program_tells, memory_order_relaxed))
        return;
    size_t first = ((uintptr_t)start - heap_start()) >> cards.shift;
    size_t last = ((uintptr_t)start - heap_start() + size_bytes - 1) >> cards.shift;
    size_t count = atomic_load_explicit(&cards.count, memory_order_acquire);
    atomic_thread_fence(memory_order_release);
    for (; first <= last && first < count; first++)
        __atomic_store_n(&cards.start[first], 1, __ATOMIC_RELAXED);
    if (first <= last && heap_contains(start))
        cards.are_lost = true;
    HOLD(value);
}

/* In step with the heap; cards that are new are clear, and what was written there is lost. */
static int need_cards(void)
{
    size_t units = atomic_load_explicit(&image_now->units_committed, memory_order_relaxed);
    cards.shift = bit_lowest(os_page_bytes());
    size_t wanted = (units << UNIT_SHIFT >> cards.shift) * CARDS_AHEAD;
    if (cards.start == NULL) {
        size_t room = image_now->unit_limit << UNIT_SHIFT >> cards.shift;
        void *start;
        if (os_reserve(room, os_page_bytes(), &start) != 0)
            return -ENOMEM;
        if (roots_hide(start, room) != 0) {
            os_unreserve(start, room);
            return -ENOMEM;
        }
        cards.start = start;
        cards.room = room;
    }
    wanted = wanted < cards.room ? wanted : cards.room;
    if (wanted <= cards.count)
        return 0;
    int result = os_commit(cards.start, wanted);
    if (result == 0)
        atomic_store_explicit(&cards.count, wanted, memory_order_release);
    return result;
}

/* The next stretch of cards that are set, from number *first_inout on. Returns its end, or 0. */
static size_t next_stretch(size_t *first_inout, size_t count)
{
    char *found = *first_inout < count ? memchr(cards.start + *first_inout, 1, count - *first_inout) : NULL;
    if (found == NULL)
        return 0;
    size_t end = (size_t)(found - cards.start);
    *first_inout = end;
    while (end < count && cards.start[end] != 0)
        end++;
    return end;
}

static uintptr_t card_start(size_t card)
{
    return heap_start() + (card << cards.shift);
}

/* Visits those that are set in [start, end), in whole cards, and clears them before if that is wanted. */
static void visit_cards(uintptr_t start, uintptr_t end, bool clears, os_tracking_visit *visit, void *context)
{
    size_t count = (end - heap_start()) >> cards.shift;
    size_t first = (start - heap_start()) >> cards.shift;
    count = count < cards.count ? count : cards.count;
    for (size_t stretch_end; (stretch_end = next_stretch(&first, count)) != 0; first = stretch_end) {
        if (clears) {
            memset(cards.start + first, 0, stretch_end - first);
            atomic_thread_fence(memory_order_seq_cst);
        }
        visit(card_start(first), card_start(stretch_end), context);
    }
}

/* Nothing is known: all of it. */
static void visit_all(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    size_t count = (end - heap_start()) >> cards.shift;
    size_t first = (start - heap_start()) >> cards.shift;
    count = count < cards.count ? count : cards.count;
    if (first < count)
        memset(cards.start + first, 0, count - first);
    atomic_thread_fence(memory_order_seq_cst);
    visit(start, end, context);
}

/* ---- from outside ---- */

int written_start(void)
{
    program_told = program_tells;
    if (program_told)
        return need_cards() == 0 ? 0 : -ENOTSUP;
    knows_cards = false;
    area_need(&lookers, CREW_MEMBERS_MAX * os_looker_bytes()); /* without it the others do not look */
    return os_tracking_start() == 0 ? 0 : -ENOTSUP;
}

/* Who has ceased to tell has told everything until then. */
int written_begin(bool renews, uintptr_t *start_out, uintptr_t *end_out)
{
    *start_out = heap_start();
    *end_out = heap_end();
    if (!program_told)
        return written_go_on(*end_out);
    cards_are_known = knows_cards && !cards.are_lost && program_tells;
    if (renews) {
        cards.are_lost = false;
        knows_cards = true;
    }
    return 0;
}

/* The kernel tells by the page, whatever was asked before. */
void written_forget(void)
{
    knows_cards = false;
}

int written_go_on(uintptr_t end)
{
    return program_told || os_tracking_enlist(heap_start(), end) == 0 ? 0 : -ENOTSUP;
}

static struct os_looker *looker_of(unsigned who)
{
    return who == 0 ? NULL : (struct os_looker *)(void *)(lookers.start + (who - 1) * os_looker_bytes());
}

bool written_may_look(unsigned who)
{
    return who == 0 || program_told || (!crew_shares_files() && lookers.start != NULL && os_looker_prepare(looker_of(who)) == 0);
}

/*
 * Mappings that the heap makes anew at this moment end it: then what has not been protected counts as written, and is visited,
 * which is only slow.
 */
void written_renew(unsigned who, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    if (!program_told)
        os_tracking_epoch_by(looker_of(who), start, end, visit, context);
    else if (cards_are_known)
        visit_cards(start, end, true, visit, context);
    else
        visit_all(start, end, visit, context);
}

void written_look(unsigned who, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    if (!program_told)
        os_tracking_dirty_by(looker_of(who), start, end, visit, context);
    else if (cards_are_known)
        visit_cards(start, end, false, visit, context);
    else
        visit(start, end, context);
}

int written_renew_all(os_tracking_visit *visit, void *context)
{
    uintptr_t start, end;
    int result = written_begin(true, &start, &end);
    if (result == 0)
        written_renew(0, start, end, visit, context);
    return result;
}

int written_by_program(void)
{
    int result = need_cards();
    if (result == 0)
        program_tells = true;
    return result;
}

void written_by_kernel(void)
{
    program_tells = false;
}
