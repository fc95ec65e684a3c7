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

static void visit_cards(bool clears, os_tracking_visit *visit, void *context)
{
    size_t count = (heap_end() - heap_start()) >> cards.shift;
    size_t first = 0;
    count = count < cards.count ? count : cards.count;
    for (size_t end; (end = next_stretch(&first, count)) != 0; first = end) {
        if (clears) {
            memset(cards.start + first, 0, end - first);
            atomic_thread_fence(memory_order_seq_cst);
        }
        visit(heap_start() + (first << cards.shift), heap_start() + (end << cards.shift), context);
    }
}

/* Who has ceased to tell has told everything until then. */
static int renew_cards(os_tracking_visit *visit, void *context)
{
    bool is_known = knows_cards && !atomic_exchange(&cards.are_lost, false) && program_tells;
    knows_cards = true;
    if (is_known) {
        visit_cards(true, visit, context);
        return 0;
    }
    size_t count = cards.count;
    memset(cards.start, 0, count);
    atomic_thread_fence(memory_order_seq_cst);
    visit(heap_start(), heap_end(), context);
    return 0;
}

/* ---- from outside ---- */

int written_start(void)
{
    program_told = program_tells;
    if (program_told)
        return need_cards() == 0 ? 0 : -ENOTSUP;
    knows_cards = false;
    return os_tracking_start() == 0 ? 0 : -ENOTSUP;
}

/*
 * Mappings that the heap makes anew at this moment end it: then what has not been protected counts as written, and is visited,
 * which is only slow.
 */
int written_renew(os_tracking_visit *visit, void *context)
{
    if (program_told)
        return renew_cards(visit, context);
    os_tracking_epoch(heap_start(), heap_end(), visit, context);
    return os_tracking_is_on() ? 0 : -ENOTSUP;
}

int written_look(os_tracking_visit *visit, void *context)
{
    if (!program_told)
        return os_tracking_dirty_quick(heap_start(), heap_end(), visit, context) == 0 ? 0 : -ENOTSUP;
    if (cards.are_lost || !program_tells)
        visit(heap_start(), heap_end(), context);
    else
        visit_cards(false, visit, context);
    return 0;
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
