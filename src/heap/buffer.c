/*
 * heap/buffer: from spans into a thread's buffers, and back.
 *
 * A buffer starts with room for 8 slots and doubles each third time it runs empty or full, up to 256 slots or a share of
 * the heap; in a small heap that is less for slots above 512 bytes. What it holds is free memory that no span can give
 * up, and its room is memory, too: small programs and classes that are not in demand keep small buffers. Only where many
 * slots are taken and many freed by turns it may grow further: their way through the spans costs as much as half of
 * malloc and free.
 *
 * Uses base. Locks: the heap's own lock around its spans; inside it the run lock and the metadata lock.
 */
#include "heap/buffer.h"

#include "base/bits.h"
#include "base/image.h"
#include "base/invariant.h"
#include "heap/collector.h"
#include "heap/kept.h"
#include "heap/metadata.h"
#include "heap/misuse.h"
#include "heap/note.h"
#include "heap/recorder.h"
#include "heap/remote.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "os/random.h"

#include <errno.h>
#include <string.h>

enum {
    CAPACITY_FIRST = 8,
    CAPACITY_LEAST = 4,
    CAPACITY_MAX = 256,
    CAPACITY_SHARE = 64, /* one part of the heap in this many, but no less and no more bytes than these */
    CAPACITY_BYTES_MIN = 65536,
    CAPACITY_BYTES_MAX = 262144,
    SMALL_BYTES_MAX = 512,
    LARGER_BYTES_MIN = 16384, /* for larger slots */
    BURST_SHARE = 32, /* the same for classes of which many are taken and many freed by turns, */
    LARGER_BURST_SHARE = 8,
    BURST_CAPACITY_MAX = 1024,
    BURST_TURNS = 3, /* that is so many turns or more in succession, */
    BURST_SLOTS = 48, /* more than comes and goes by chance, */
    BURSTS_MIN = 4,  /* and again and again */
    PRESSURE_MAX = 3,
    TURNS_TO_HALF = 3,
    TURN_SLOTS_MIN = 16,
    RECLAIM_UNITS = 16,
};

static size_t capacity(const struct buffer *buffer)
{
    return (size_t)(buffer->limit - buffer->base);
}

static size_t share_of_heap(size_t share, size_t least_bytes)
{
    size_t heap_bytes = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed) << UNIT_SHIFT;
    size_t bytes = heap_bytes / share;
    return bytes < least_bytes ? least_bytes : bytes > CAPACITY_BYTES_MAX ? CAPACITY_BYTES_MAX : bytes;
}

static size_t entries_for(size_t bytes, uint32_t class_index, size_t most)
{
    size_t count = bytes / class_slot_bytes[class_index];
    return count > most ? most : count < CAPACITY_LEAST ? CAPACITY_LEAST : count;
}

/* In a small heap the pages of larger slots are missed elsewhere. */
static size_t capacity_max(uint32_t class_index)
{
    size_t least_bytes = class_slot_bytes[class_index] <= SMALL_BYTES_MAX ? CAPACITY_BYTES_MIN : LARGER_BYTES_MIN;
    return entries_for(share_of_heap(CAPACITY_SHARE, least_bytes), class_index, CAPACITY_MAX);
}

/*
 * What comes back is taken again: while the program holds most, the buffer is empty. Entries are memory, too: beside larger slots they
 * count for little.
 */
static size_t burst_capacity_max(uint32_t class_index)
{
    size_t share = class_slot_bytes[class_index] <= SMALL_BYTES_MAX ? BURST_SHARE : LARGER_BURST_SHARE;
    size_t usual = capacity_max(class_index);
    size_t most = entries_for(share_of_heap(share, 0), class_index, BURST_CAPACITY_MAX);
    return most > usual ? most : usual;
}

static size_t turns_so_far(const struct buffer *buffer)
{
    return (size_t)(buffer->turns < 0 ? -buffer->turns : buffer->turns);
}

/*
 * How many slots come from the spans or go there at a time. In the first turns few, so that most stay at hand where the buffer nearly
 * holds what is taken and freed by turns; half a buffer could go back and forth each time. Once they keep coming, as many as that.
 */
static size_t turn_size(const struct buffer *buffer)
{
    size_t half = (capacity(buffer) + 1) / 2;
    size_t turns = turns_so_far(buffer);
    size_t part = turns < TURNS_TO_HALF ? half >> (TURNS_TO_HALF - turns) : half;
    size_t least = half < TURN_SLOTS_MIN ? half : TURN_SLOTS_MIN;
    return part < least ? least : part;
}

/*
 * Tells a program that takes many and frees many, by turns, from one that does either at random: the buffer runs empty several
 * times in succession, then full as often.
 */
static void note_turn(struct buffer *buffer, bool is_full)
{
    enum { TURNS_MAX = 100 };
    int turns = buffer->turns;
    if ((turns > 0) != is_full || turns == 0) {
        size_t count = turns_so_far(buffer);
        bool is_burst = count >= BURST_TURNS && count * (capacity(buffer) / 4) >= BURST_SLOTS;
        if (is_burst ? buffer->bursts < BURSTS_MIN : buffer->bursts > 0)
            buffer->bursts = (int8_t)(buffer->bursts + (is_burst ? 1 : -1));
        turns = 0;
    }
    if (turns < TURNS_MAX && -turns < TURNS_MAX)
        buffer->turns = (int8_t)(turns + (is_full ? 1 : -1));
}

static bool resize(struct buffer *buffer, size_t wanted)
{
    struct entry *base = metadata_take(wanted * sizeof(struct entry));
    if (base == NULL)
        return false;
    size_t count = (size_t)(buffer->top - buffer->base);
    if (count != 0)
        memcpy(base, buffer->base, count * sizeof(struct entry));
    metadata_put(buffer->base, capacity(buffer) * sizeof(struct entry));
    buffer->base = base;
    buffer->limit = base + wanted;
    buffer->top = base + count;
    return true;
}

/* Doubles the room if it has been too small often enough. Without memory, or at the limit, it stays as it is. */
static bool grow(struct buffer *buffer, uint32_t class_index, bool is_full)
{
    note_turn(buffer, is_full);
    if (buffer->base != NULL && ++buffer->pressure < PRESSURE_MAX)
        return false;
    buffer->pressure = 0;
    size_t old = capacity(buffer);
    size_t wanted = old == 0 ? CAPACITY_FIRST : old * 2;
    size_t most = capacity_max(class_index);
    if (wanted > most && buffer->bursts >= BURSTS_MIN) {
        most = burst_capacity_max(class_index);
        buffer->bursts = 0;
    }
    wanted = wanted > most ? most : wanted;
    return wanted > old && resize(buffer, wanted);
}

/* Who can make a program allocate and free must not know what it gets next. Threads may share the state: all the better. */
COLD static void shuffle(struct buffer *buffer)
{
    static _Atomic uint64_t state;
    uint64_t random = atomic_load_explicit(&state, memory_order_relaxed);
    if (random == 0)
        random = os_random() | 1;
    for (size_t left = (size_t)(buffer->top - buffer->base); left > 1; left--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t other = (size_t)((random >> 32) * left >> 32);
        struct entry entry = buffer->base[left - 1];
        buffer->base[left - 1] = buffer->base[other];
        buffer->base[other] = entry;
    }
    atomic_store_explicit(&state, random, memory_order_relaxed);
}

/*
 * What a quarantine has released left the cache while it was held: the next blocks that the program gets come back into it in time, all
 * at once rather than one after the other.
 */
static void fetch(const struct buffer *buffer)
{
    enum { FETCHED_MAX = 64 };
    ptrdiff_t count = buffer->top - buffer->base;
    for (ptrdiff_t i = 1; i <= count && i <= FETCHED_MAX; i++) {
        __builtin_prefetch(buffer->top[-i].slot, 1);
        __builtin_prefetch(buffer->top[-i].state, 1);
    }
}

/* Slots for a turn from the heap's spans, as far as they have them. Returns whether the buffer holds any then. */
static bool take_from_spans(struct thread_heap *heap, uint32_t class_index)
{
    struct buffer *buffer = &heap->buffers[class_index];
    uint32_t wanted = (uint32_t)turn_size(buffer);
    struct span *span;
    lock_take(&heap->lock);
    while (wanted > 0 && (span = heap->listed[class_index]) != NULL) {
        uint32_t count = wanted < span->free_count ? wanted : span->free_count;
        span_claim(span, buffer->top, count);
        if (span->free_count == 0)
            thread_heap_unlist(heap, span);
        buffer->top += count;
        wanted -= count;
    }
    lock_release(&heap->lock);
    if (UNLIKELY(options_now()->shuffle))
        shuffle(buffer);
    if (UNLIKELY(heap_layout.holds_freed))
        fetch(buffer);
    return buffer->top != buffer->base;
}

/*
 * After slots came back: the span is listed again if it was full, and given up if it is empty. One empty span of each
 * class stays, so that a program that frees and takes one block over and over is not slow; not so where no thread is.
 */
static void settle(struct thread_heap *owner, struct span *span)
{
    if (!span->listed)
        thread_heap_list(owner, span);
    if (!span_is_empty(span))
        return;
    if (span->next == span && !atomic_load_explicit(&owner->parked, memory_order_relaxed))
        return;
    thread_heap_unlist(owner, span);
    span_destroy(span);
}

void buffer_return_slot(struct thread_heap *owner, const struct unit *unit, const uint8_t *state)
{
    struct span *span = unit->span;
    size_t index = (size_t)(state - span->states);
    if (UNLIKELY(!span_offer(span, index)))
        misuse_note_double_free((void *)span_slot(span, index));
    settle(owner, span);
}

/* In a buffer twice, or offered already. */
COLD static size_t note_twice(const struct entry *entry)
{
    misuse_note_double_free(entry->slot);
    return 1;
}

/*
 * Sets the free bits of the entries from the first on that are in one word of their span's, and settles that. Returns how many
 * entries that were. Neighbours in a buffer often are neighbours in the span: the word is loaded and stored once for them. One that is
 * in a buffer twice may have lost its span by the time its second turn comes.
 */
static ALWAYS_INLINE size_t return_word(struct thread_heap *heap, const struct entry *entries, size_t count)
{
    /* Within a word's reach behind the last state there is no other span's: a record begins with more than that. */
    _Static_assert(sizeof(struct span) >= WORD_BITS, "the states of two spans are this far apart");
    const struct unit *unit = unit_at(entries[0].slot);
    if (UNLIKELY(atomic_load_explicit(&unit->owner, memory_order_relaxed) != heap))
        return note_twice(&entries[0]);
    struct span *span = unit->span;
    size_t index = (size_t)(entries[0].state - span->states);
    if (UNLIKELY(index >= span->slot_count))
        return note_twice(&entries[0]);
    size_t word = index / WORD_BITS;
    const uint8_t *states = span->states + word * WORD_BITS;
    uint64_t bits = span->free[word];
    size_t twice = 0;
    size_t done = 0;
    index %= WORD_BITS;
    do {
        uint64_t bit = (uint64_t)1 << index;
        if (UNLIKELY((bits & bit) != 0))
            twice += note_twice(&entries[done]);
        bits |= bit;
        done++;
    } while (done < count && (index = (size_t)(entries[done].state - states)) < WORD_BITS);
    span_set_word(span, word, bits, (uint32_t)(done - twice));
    if (!span->listed || span_is_empty(span))
        settle(heap, span);
    return done;
}

/*
 * The states of eight slots, some of which are garbage: one atomic operation instead of as many, which are most of what a sweep costs.
 * Returns false with nothing done if it is not that simple.
 */
static bool release_eight(uint8_t *states, uint64_t garbage, uint32_t birth)
{
    const uint64_t ones = UINT64_MAX / UINT8_MAX, diagonal = 0x8040201008040201u, high = ones << 7;
    uint64_t mask = ((((garbage * ones & diagonal) + (high - ones)) & high) >> 7) * UINT8_MAX; /* a byte for each bit */
    uint64_t before = __atomic_load_n((const uint64_t *)(const void *)states, __ATOMIC_RELAXED);
    uint64_t others = (before ^ ones * slot_state_of(SLOT_FRESH, birth)) >> BIRTH_SHIFT & ones * (UINT8_MAX >> BIRTH_SHIFT);
    bool is_other = (((others + (high - ones)) & high & mask) ^ (high & mask)) == 0; /* none of this cycle's birth */
    if (!is_other || (before & ones & mask) != (ones & mask))
        return false;
    uint64_t after = (before & ~mask) | (ones * SLOT_FREE & mask);
    return __atomic_compare_exchange_n((uint64_t *)(void *)states, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static uint64_t release_each(uint8_t *states, uint64_t garbage, uint32_t birth)
{
    uint64_t released = 0;
    for (uint64_t bits = garbage; bits != 0; bits &= bits - 1)
        if (slot_state_reclaim(&states[bit_lowest(bits)], birth))
            released |= bits & -bits;
    return released;
}

static uint64_t release_word(uint8_t *states, uint64_t garbage, uint32_t birth)
{
    enum { EIGHT = 8 };
    uint64_t released = 0;
    for (uint32_t first = 0; first < WORD_BITS; first += EIGHT) {
        uint64_t bits = garbage >> first & UINT8_MAX;
        bool all = bit_count(bits) > 1 && release_eight(states + first, bits, birth);
        released |= (all ? bits : bits == 0 ? 0 : release_each(states + first, bits, birth)) << first;
    }
    return released;
}

static uint64_t still_garbage(const uint8_t *states, uint64_t garbage, uint32_t birth)
{
    uint64_t still = 0;
    for (uint64_t bits = garbage; bits != 0; bits &= bits - 1)
        if (slot_is_reclaimable(slot_state_get(&states[bit_lowest(bits)]), birth))
            still |= bits & -bits;
    return still;
}

/* What the program has freed itself meanwhile is not among them; and their records are theirs until somebody gets the slots. */
COLD static void tell_recorder(const struct span *span, size_t word, uint64_t freed)
{
    for (uint64_t bits = freed; bits != 0; bits &= bits - 1)
        heap_recorder->reclaimed(span, word * WORD_BITS + bit_lowest(bits));
}

uint32_t buffer_reclaim(struct span *span, const uint64_t *garbage, uint32_t birth)
{
    struct thread_heap *owner = span->owner;
    bool orphaned = atomic_load_explicit(&owner->orphaned, memory_order_relaxed);
    uint32_t total = 0;
    for (size_t word = 0; word < words_for(span->slot_count); word++) {
        uint8_t *states = span->states + word * WORD_BITS;
        uint64_t freed = garbage[word];
        if (UNLIKELY(note_has_span(span))) {
            freed = still_garbage(states, freed, birth);
            freed &= ~note_reclaim_now(span, word, freed);
        }
        freed = release_word(states, freed, birth);
        if (UNLIKELY(heap_recorder != NULL))
            tell_recorder(span, word, freed);
        uint32_t count = bit_count(freed);
        total += count;
        INVARIANT((span->free[word] & freed) == 0);
        if (freed != 0 && !orphaned) /* else it is rebuilt from the states before anybody uses it */
            span_offer_word(span, word, freed, count);
    }
    if (total != 0 && !orphaned)
        settle(owner, span);
    return total;
}

void buffer_release(struct span *span, const uint64_t *held)
{
    struct thread_heap *owner = span->owner;
    bool orphaned = atomic_load_explicit(&owner->orphaned, memory_order_relaxed);
    for (size_t word = 0; word < words_for(span->slot_count); word++) {
        for (uint64_t bits = held[word]; bits != 0; bits &= bits - 1)
            slot_state_set(&span->states[word * WORD_BITS + bit_lowest(bits)], SLOT_FREE);
        INVARIANT((span->free[word] & held[word]) == 0);
        if (held[word] != 0 && !orphaned)
            span_offer_word(span, word, held[word], bit_count(held[word]));
    }
    if (!orphaned)
        settle(owner, span);
}

static void return_entries(struct thread_heap *heap, const struct entry *entries, size_t count)
{
    lock_take(&heap->lock);
    for (size_t done = 0; done < count;)
        done += return_word(heap, entries + done, count - done);
    lock_release(&heap->lock);
}

/* The one empty span that settle() keeps, if the class has it. */
static void give_up_last(struct thread_heap *heap, uint32_t class_index)
{
    if (heap->listed[class_index] == NULL)
        return;
    lock_take(&heap->lock);
    struct span *span = heap->listed[class_index];
    if (span != NULL && span_is_empty(span)) {
        thread_heap_unlist(heap, span);
        span_destroy(span);
    }
    lock_release(&heap->lock);
}

/* That it is empty then is not the program's demand. */
static void flush(struct thread_heap *heap, struct buffer *buffer)
{
    if (buffer->top == buffer->base)
        return;
    return_entries(heap, buffer->base, (size_t)(buffer->top - buffer->base));
    buffer->top = buffer->base;
    buffer->pressure = -1;
}

/*
 * Before the heap takes pages that hold nothing yet, what classes hold that were not used lately is made available to
 * all: a buffer that holds as much as a while ago is emptied, and an empty span given up. A program that needs some odd
 * size once in a while would otherwise keep pages for each of them.
 */
static void reclaim_idle(struct thread_heap *heap)
{
    heap->grown_units = 0;
    kept_flush(heap);
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        struct buffer *buffer = &heap->buffers[i];
        if (buffer->base == NULL)
            continue;
        if (buffer->top - buffer->base == heap->last_count[i]) {
            flush(heap, buffer);
            give_up_last(heap, i);
        }
        heap->last_count[i] = (uint16_t)(buffer->top - buffer->base);
    }
}

/* A span from a parked heap or a new one. */
static struct span *find_span(struct thread_heap *heap, uint32_t class_index)
{
    struct span *span = thread_heap_adopt_span(heap, class_index);
    if (span != NULL)
        return span;
    if (run_dirty_count() < class_unit_count[class_index]) {
        kept_make_room(heap, class_unit_count[class_index]);
        heap->grown_units += class_unit_count[class_index];
        if (heap->grown_units >= RECLAIM_UNITS)
            reclaim_idle(heap);
    }
    return span_create(heap, class_index);
}

NOINLINE static int add_span(struct thread_heap *heap, uint32_t class_index)
{
    struct span *span = find_span(heap, class_index);
    if (span == NULL)
        return -ENOMEM;
    class_note_demand(heap->wanted_class);
    lock_take(&heap->lock);
    thread_heap_list(heap, span);
    lock_release(&heap->lock);
    return 0;
}

NOINLINE int buffer_refill(struct thread_heap *heap, uint32_t class_index)
{
    struct buffer *buffer = &heap->buffers[class_index];
    grow(buffer, class_index, false);
    if (buffer->base == NULL)
        return -ENOMEM;
    remote_drain(heap);
    if (buffer->top != buffer->base)
        return 0;
    if (take_from_spans(heap, class_index))
        return 0;
    if (heap_collector_growing(class_unit_count[class_index]) && take_from_spans(heap, class_index))
        return 0;
    int result = add_span(heap, class_index);
    if (result == 0)
        take_from_spans(heap, class_index);
    return result;
}

NOINLINE void buffer_make_room(struct thread_heap *heap, uint32_t class_index)
{
    struct buffer *buffer = &heap->buffers[class_index];
    if (grow(buffer, class_index, true))
        return;
    if (buffer->base == NULL)
        return;
    size_t count = turn_size(buffer);
    return_entries(heap, buffer->base, count);
    size_t rest = (size_t)(buffer->top - buffer->base) - count;
    memmove(buffer->base, buffer->base + count, rest * sizeof(struct entry));
    buffer->top = buffer->base + rest;
}

void buffer_flush_all(struct thread_heap *heap)
{
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        flush(heap, &heap->buffers[i]);
        give_up_last(heap, i);
    }
}

size_t buffer_held_bytes(const struct thread_heap *heap)
{
    size_t total = 0;
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        total += (size_t)(heap->buffers[i].top - heap->buffers[i].base) * class_slot_bytes[i];
    return total;
}
