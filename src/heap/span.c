/*
 * heap/span: a run of units cut into equal slots.
 *
 * Uses os, base. Locks: the run lock where descriptors change, through runs.h.
 */
#include "heap/span.h"

#include "base/bits.h"
#include "base/invariant.h"
#include "heap/layout.h"
#include "heap/limbo.h"
#include "heap/metadata.h"
#include "heap/note.h"
#include "heap/runs.h"
#include "heap/thread.h"
#include "os/random.h"

#include <string.h>

/* States are read 64 at a time: there is room for as many behind the last one. */
size_t span_record_bytes(uint32_t slot_count)
{
    return sizeof(struct span) + words_for(slot_count) * sizeof(uint64_t) + words_for(slot_count + 1) * WORD_BITS;
}

/* Rounded up; for powers of two it is exact. */
static uint64_t reciprocal_of(size_t slot_bytes)
{
    return UINT64_MAX / slot_bytes + 1;
}

/*
 * The first unit comes last, and in each the way to the span: span_from() then finds a span exactly when all of its
 * descriptors are in place, also in a fork's child whose parent's other thread was here.
 */
static void publish(struct span *span)
{
    struct unit unit = {
        .states = span->states,
        .start = span->start,
        .reciprocal = reciprocal_of(span->slot_bytes),
        .buffer_offset = (uint16_t)(span->class_index * sizeof(struct buffer)),
        .class_index = span->class_index,
        .kind = UNIT_SPAN,
        .slot_bytes = span->slot_bytes,
    };
    for (size_t i = span->unit_count; i-- > 0;) {
        struct unit *target = &heap_layout.units[span->first_unit + i];
        unit.notes = target->notes;
        *target = unit;
        atomic_store_explicit(&target->owner, span->owner, memory_order_relaxed);
        __atomic_store_n(&target->span, span, __ATOMIC_RELEASE);
    }
}

/*
 * What freed units say of themselves stays, so that a late double free can be named; only what makes them live goes. The
 * run lock is held.
 */
static void unpublish(struct span *span)
{
    for (size_t i = 0; i < span->unit_count; i++) {
        struct unit *unit = &heap_layout.units[span->first_unit + i];
        atomic_store_explicit(&unit->owner, NULL, memory_order_relaxed);
        unit->kind = UNIT_FREE;
        unit->span = NULL;
        unit->states = NULL;
    }
}

/* Slots that touch a dirty unit hold old data; the others read as zero. */
static void mark_dirty_slots(struct span *span)
{
    size_t limit = span->first_unit + span->unit_count;
    size_t end;
    for (size_t from = run_find(span->first_unit, limit, true, &end); from < limit;
         from = run_find(end, limit, true, &end)) {
        size_t first = (unit_start(from) - span->start) / span->slot_bytes;
        size_t last = (unit_start(end) - 1 - span->start) / span->slot_bytes;
        if (first < span->slot_count)
            memset(span->states + first, SLOT_FREE, (last < span->slot_count ? last + 1 : span->slot_count) - first);
    }
}

/*
 * What is read or written past the end of a guard's neighbour is nobody's. Which slots are guards differs from span to span. The first is none, so
 * that no span is without a slot to hand out.
 */
COLD static void set_guards(struct span *span)
{
    size_t wanted = options_now()->guard_slots;
    size_t every = wanted > 2 ? wanted : 2;
    for (size_t i = 1 + os_random() % (every - 1); i < span->slot_count; i += every) {
        if (span->states[i] == SLOT_FREE)
            memset((void *)span_slot(span, i), 0, span->slot_bytes);
        span->states[i] = SLOT_RETIRED;
        bitmap_clear(span->free, i);
        span->guard_count++;
    }
    span->free_count -= span->guard_count;
}

static void fill(struct span *span, struct thread_heap *owner, uint32_t class_index, size_t first_unit)
{
    uint32_t slot_bytes = class_slot_bytes[class_index];
    uint32_t slot_count = (uint32_t)(((size_t)class_unit_count[class_index] << UNIT_SHIFT) / slot_bytes);
    span->owner = owner;
    span->start = unit_start(first_unit);
    span->first_unit = first_unit;
    span->unit_count = class_unit_count[class_index];
    span->slot_bytes = slot_bytes;
    span->slot_count = slot_count;
    span->free_count = slot_count;
    span->class_index = (uint8_t)class_index;
    span->free = (uint64_t *)(span + 1);
    span->states = (uint8_t *)(span->free + words_for(slot_count));
    bitmap_fill(span->free, 0, slot_count, true);
    mark_dirty_slots(span);
    if (UNLIKELY(options_now()->guard_slots != 0))
        set_guards(span);
}

struct span *span_create(struct thread_heap *owner, uint32_t class_index)
{
    size_t unit_count = class_unit_count[class_index];
    uint32_t slot_count = (uint32_t)((unit_count << UNIT_SHIFT) / class_slot_bytes[class_index]);
    struct span *span = metadata_take(span_record_bytes(slot_count));
    if (span == NULL)
        return NULL;
    size_t first_unit = run_take(unit_count, 1, RUN_DIRTY_FIRST);
    if (first_unit == SIZE_MAX) {
        metadata_put(span, span_record_bytes(slot_count));
        return NULL;
    }
    fill(span, owner, class_index, first_unit);
    class_count_units(class_index, (int32_t)unit_count);
    publish(span);
    return span;
}

/* A unit none of whose slots was ever handed out still reads as zero; but for guards, which others may have run into. */
static void note_dirty_units(struct span *span)
{
    for (size_t i = 0; i < span->unit_count; i++) {
        size_t first = (i << UNIT_SHIFT) / span->slot_bytes;
        size_t last = ((i + 1) << UNIT_SHIFT) - 1;
        last /= span->slot_bytes;
        if (last >= span->slot_count)
            last = span->slot_count - 1;
        size_t count = first > last ? 0 : last - first + 1;
        if (count != 0 && (span->guard_count != 0 || memchr(span->states + first, SLOT_FREE, count) != NULL))
            run_set_dirty(span->first_unit + i, 1, true);
    }
}

const uint8_t span_column_bytes[COLUMN_COUNT] = {[COLUMN_STACK] = 12, [COLUMN_FREED] = 4,  [COLUMN_TYPE] = 4};

static size_t column_bytes(const struct span *span, enum span_column column)
{
    return (size_t)span->slot_count * span_column_bytes[column];
}

/* Mostly the owner comes here; but a thread that is ending works on a heap that it has only borrowed. */
COLD static void *make_column(struct span *span, enum span_column column)
{
    void *none = NULL;
    void *made = metadata_take(column_bytes(span, column));
    if (made == NULL || __atomic_compare_exchange_n(&span->columns[column], &none, made, false, __ATOMIC_ACQ_REL,
                                                    __ATOMIC_ACQUIRE))
        return made;
    metadata_put(made, column_bytes(span, column));
    return none;
}

void *span_need_column(struct span *span, enum span_column column)
{
    void *entries = __atomic_load_n(&span->columns[column], __ATOMIC_ACQUIRE);
    return LIKELY(entries != NULL) ? entries : make_column(span, column);
}

void span_put_columns(struct span *span)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (UNLIKELY(span->columns[i] != NULL))
            metadata_put(span->columns[i], column_bytes(span, (enum span_column)i));
        span->columns[i] = NULL;
    }
}

void span_destroy(struct span *span)
{
    INVARIANT(span_is_empty(span) && !span->listed);
    note_give_up(span);
    span_put_columns(span);
    class_count_units(span->class_index, -(int32_t)span->unit_count);
    run_lock();
    unpublish(span);
    note_dirty_units(span);
    run_put(span->first_unit, span->unit_count);
    run_unlock();
    metadata_put(span, span_record_bytes(span->slot_count));
}

void span_set_owner(struct span *span, struct thread_heap *owner)
{
    span->owner = owner;
    for (size_t i = 0; i < span->unit_count; i++)
        atomic_store_explicit(&heap_layout.units[span->first_unit + i].owner, owner, memory_order_release);
}

/* Both halves of an entry at once. */
typedef uint64_t entry_vector __attribute__((vector_size(16), may_alias));
_Static_assert(sizeof(struct entry) == sizeof(entry_vector), "an entry is two words");

/* Slots that lie side by side, written from `next` downwards. Returns the last one's entry. */
static struct entry *claim_run(uintptr_t slot, size_t slot_bytes, uint8_t *state, size_t count, struct entry *next)
{
    entry_vector entry = {slot, (uintptr_t)state};
    const entry_vector step = {slot_bytes, 1};
    for (struct entry *end = next - count; next > end; entry += step)
        *(entry_vector *)--next = entry;
    return next;
}

/* The set bits are neighbours, as they are in new spans and after a program has freed much: nothing to search. */
static bool is_run(uint64_t bits)
{
    uint64_t lowest = bits & -bits;
    return (bits & (bits + lowest)) == 0;
}

void span_claim(struct span *span, struct entry *entries, uint32_t count)
{
    uint32_t word = span->first_free_word;
    struct entry *next = entries + count;
    while (next > entries) {
        uint64_t bits = span->free[word];
        uintptr_t slot = span_slot(span, (size_t)word * WORD_BITS);
        uint8_t *state = span->states + (size_t)word * WORD_BITS;
        if (bits != 0 && is_run(bits)) {
            uint32_t first = bit_lowest(bits);
            size_t length = bit_highest(bits) + 1 - first;
            size_t wanted = (size_t)(next - entries);
            size_t taken = length < wanted ? length : wanted;
            next = claim_run(slot + first * span->slot_bytes, span->slot_bytes, state + first, taken, next);
            bits &= ~word_mask(first, (uint32_t)taken);
        }
        for (; bits != 0 && next > entries; bits &= bits - 1) {
            uint32_t index = bit_lowest(bits);
            *--next = (struct entry){(void *)(slot + index * span->slot_bytes), state + index};
        }
        span->free[word] = bits;
        word += bits == 0;
    }
    span->first_free_word = word;
    span->free_count -= count;
}

void span_rebuild(struct span *span)
{
    span->free_count = 0;
    span->first_free_word = 0;
    for (uint32_t i = 0; i < span->slot_count; i++) {
        uint8_t state = span->states[i];
        bool is_free = !slot_is_allocated(state) && state != SLOT_RETIRED && !slot_is_held(state);
        span->free_count += is_free;
        if (is_free)
            bitmap_set(span->free, i);
        else
            bitmap_clear(span->free, i);
    }
}

struct span *span_at(const void *address)
{
    struct unit *unit = unit_at(address);
    struct span *own = __atomic_load_n(&unit->span, __ATOMIC_ACQUIRE);
    if (own != NULL)
        return own;
    /* The inside of a large block: see heap/unit.h. */
    size_t index = (size_t)(unit - heap_layout.units);
    struct unit *border = &heap_layout.units[index & ~(size_t)(GRANULE_UNITS - 1)];
    struct span *span = __atomic_load_n(&border->span, __ATOMIC_ACQUIRE);
    if (span == NULL || border->kind != UNIT_LARGE)
        return NULL;
    return index - span->first_unit < span->unit_count ? span : NULL;
}

struct span *span_from(size_t unit_index)
{
    size_t limit = atomic_load_explicit(&image_now->units_used, memory_order_acquire);
    for (; unit_index < limit; unit_index++) {
        struct span *span = __atomic_load_n(&heap_layout.units[unit_index].span, __ATOMIC_ACQUIRE);
        if (span != NULL && span->first_unit == unit_index)
            return span;
    }
    return NULL;
}
