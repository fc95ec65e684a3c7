/*
 * gc/paged: words that were found in no order, on the way to turn the blocks they lead to grey.
 *
 * Uses os, heap. Locks: none. Several markers set grey bits atomically; one alone does not.
 */
#include "gc/paged.h"

#include "gc/grey.h"
#include "gc/mark_find.h"

#include <string.h>

/* Without a branch that depends on whether the block was found before: nothing foretells that. */
static void turn_grey_alone(struct marker *marker)
{
    struct white_place *places = marker->view.places;
    uint8_t *units = grey_units;
    const uint32_t count = marker->paged_count;
    uint64_t any = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct mark_paged paged = marker->paged[i];
        struct white_place place = places[paged.place];
        uint64_t fresh = place.fresh & paged.bit;
        places[paged.place] = (struct white_place){place.fresh ^ fresh, place.grey | fresh};
        units[paged.unit] |= fresh != 0;
        any |= fresh;
    }
    if (any != 0) {
        marker->has_noted = true;
        atomic_store_explicit(&grey_any, true, memory_order_relaxed);
    }
}

/*
 * No grey bit may be lost. A fresh one that is set once more by who changed another at the same time costs a second look at the
 * block; to change it atomically as well would cost more.
 */
static void turn_grey_shared(struct marker *marker, const struct mark_paged *paged)
{
    struct white_place *place = &marker->view.places[paged->place];
    uint64_t fresh = __atomic_load_n(&place->fresh, __ATOMIC_RELAXED);
    if ((fresh & paged->bit) == 0)
        return;
    __atomic_store_n(&place->fresh, fresh & ~paged->bit, __ATOMIC_RELAXED);
    __atomic_fetch_or(&place->grey, paged->bit, __ATOMIC_RELAXED);
    grey_note(paged->unit);
    marker->has_noted = true;
}

/* Those that are fresh, gathered without such a branch, too. */
static uint32_t keep_fresh(struct marker *marker)
{
    const struct white_place *places = marker->view.places;
    const uint32_t count = marker->paged_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct mark_paged paged = marker->paged[i];
        marker->paged[kept] = paged;
        kept += (__atomic_load_n(&places[paged.place].fresh, __ATOMIC_RELAXED) & paged.bit) != 0;
    }
    return kept;
}

static void turn_grey(struct marker *marker)
{
    if (!marker->is_shared) {
        turn_grey_alone(marker);
    } else {
        uint32_t count = keep_fresh(marker);
        for (uint32_t i = 0; i < count; i++)
            turn_grey_shared(marker, &marker->paged[i]);
    }
    marker->paged_count = 0;
}

/* Where the bits are of what a word leads to. A free unit has class 0, whose slots have no size, and place 0. */
static ALWAYS_INLINE struct mark_paged page(const struct mark_view *view, uint64_t offset)
{
    uint64_t unit = view->place_units[offset >> UNIT_SHIFT];
    const struct mark_class *class = &view->classes[white_unit_class(unit)];
    uint64_t span_offset = ((offset >> UNIT_SHIFT) - white_unit_back(unit)) << UNIT_SHIFT;
    uint64_t index = slot_index(class, offset - span_offset);
    return (struct mark_paged){
        .place = white_unit_place(unit) + index / WORD_BITS,
        .bit = (uint64_t)1 << index % WORD_BITS,
        .unit = (span_offset + index * class->slot_bytes) >> UNIT_SHIFT,
    };
}

void paged_take(struct marker *marker, uint32_t count)
{
    const struct mark_view view = marker->view;
    turn_grey(marker);
    for (uint32_t i = 0; i < count; i++) {
        struct mark_paged paged = page(&view, marker->spotted[i]);
        __builtin_prefetch(&view.places[paged.place], 1);
        marker->paged[i] = paged;
    }
    marker->paged_count = count;
    marker->spotted_count -= count;
    memmove(marker->spotted, marker->spotted + count, marker->spotted_count * sizeof *marker->spotted);
}

void paged_flush(struct marker *marker)
{
    while (marker->spotted_count != 0)
        paged_take(marker, marker->spotted_count < MARK_PAGED ? marker->spotted_count : MARK_PAGED);
    turn_grey(marker);
}

void paged_note(struct marker *marker, uint64_t offset)
{
    struct mark_paged paged = page(&marker->view, offset);
    struct white_place *place = &marker->view.places[paged.place];
    __atomic_fetch_and(&place->fresh, ~paged.bit, __ATOMIC_RELAXED);
    __atomic_fetch_or(&place->grey, paged.bit, __ATOMIC_RELAXED);
    grey_note(paged.unit);
    marker->has_noted = true;
}
