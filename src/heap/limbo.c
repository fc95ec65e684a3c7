/*
 * heap/limbo: blocks that the program has freed and that nobody may get yet.
 *
 * Uses base. Locks: that of a span's owner when a span gets slots back; large_lock() around large blocks; the run lock where spans
 * are searched for.
 */
#include "heap/limbo.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/image.h"
#include "base/lock.h"
#include "heap/buffer.h"
#include "heap/collector.h"
#include "heap/guard.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "heap/note.h"
#include "heap/recorder.h"
#include "heap/runs.h"
#include "heap/thread.h"

#include <string.h>

enum {
    STEP_BYTES = 16384, /* so much a thread holds before it says so */
    SLOTS_MAX = 1024,
    WORDS_MAX = SLOTS_MAX / WORD_BITS,
    SPANS_AT_ONCE = 64, /* are looked at under the run lock */
    TRAPPED_SHARE = 16, /* a block without pages weighs so much less */
};

uint8_t limbo_state_now = SLOT_FREE | 1 << BIRTH_SHIFT;

static _Atomic size_t since_turn;
static _Atomic size_t limbo_total;
static _Atomic size_t allowed_bytes;
static _Atomic uint32_t exempt_count; /* thread heaps whose was_holding means something */

/* ---- holding ---- */

/* Slots are multiples of 16 bytes, and so aligned. */
typedef uint64_t line __attribute__((vector_size(16), aligned(16), may_alias));

/* What wiped memory looks like, and whether it is wiped at all; set before the first block. */
static line wiped;
static bool wipes = true;

void limbo_start(void)
{
    uint64_t byte = options_now()->wipe == WIPE_PATTERN ? LIMBO_PATTERN : 0;
    wiped = (line){byte * 0x0101010101010101u, byte * 0x0101010101010101u};
    wipes = options_now()->wipe != WIPE_NO;
}

/* Small ones are done before memset() would have found out how to; whatever the size, with few branches to guess. */
static ALWAYS_INLINE void wipe(void *slot, size_t size_bytes)
{
    enum { INLINE_BYTES_MAX = 512, LINES_AT_ONCE = 4 };
    if (UNLIKELY(!wipes))
        return;
    if (size_bytes > INLINE_BYTES_MAX) {
        memset(slot, (int)(wiped[0] & 0xff), size_bytes);
        return;
    }
    line *next = slot;
    size_t left = size_bytes / sizeof(line);
    for (; left >= LINES_AT_ONCE; left -= LINES_AT_ONCE, next += LINES_AT_ONCE)
        next[0] = next[1] = next[2] = next[3] = wiped;
    if (left != 0)
        next[0] = next[left / 2] = next[left - 1] = wiped;
}

size_t limbo_since_turn(void)
{
    return atomic_load_explicit(&since_turn, memory_order_relaxed);
}

size_t limbo_bytes_now(void)
{
    return atomic_load_explicit(&limbo_total, memory_order_relaxed);
}

void limbo_set_allowed(size_t size_bytes)
{
    atomic_store_explicit(&allowed_bytes, size_bytes, memory_order_relaxed);
}

size_t limbo_allowed(void)
{
    return atomic_load_explicit(&allowed_bytes, memory_order_relaxed);
}

static void tell(size_t more_bytes)
{
    size_t all_bytes =
        atomic_fetch_add_explicit(&since_turn, more_bytes, memory_order_relaxed) + more_bytes;
    atomic_fetch_add_explicit(&limbo_total, more_bytes, memory_order_relaxed);
    if (heap_quarantine != NULL)
        heap_quarantine->held(more_bytes, all_bytes);
}

/* Ends the operation with the heap, which may be a loan; then nobody's locks are held, and a search may begin. */
NOINLINE static void tell_of(struct thread_heap *heap)
{
    size_t told_bytes = heap->held_bytes;
    heap->held_bytes = 0;
    thread_heap_done(heap);
    tell(told_bytes);
}

static void account(struct thread_heap *heap, size_t more_bytes)
{
    heap->held_bytes += more_bytes;
    if (heap->held_bytes >= STEP_BYTES)
        tell_of(heap);
    else
        thread_heap_done(heap);
}

COLD static void refuse(void *pointer, const struct unit *unit,
                        const struct slot_position *position, void *caller)
{
    bool was_block = position->is_start && position->index < unit->span->slot_count &&
                     slot_state_get(unit->states + position->index) != SLOT_FRESH &&
                     !span_is_guard_slot(unit->span, slot_state_get(unit->states + position->index));
    if (was_block)
        misuse_double_free(pointer, unit->slot_bytes, caller);
    else
        misuse_invalid_free(pointer, caller);
}

/* Between these the thread is about to write a mark that may have become the wrong one. */
static inline void begin_holding(struct thread_heap *heap, void *pointer)
{
    atomic_store_explicit(&heap->holding, pointer, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void end_holding(struct thread_heap *heap)
{
    atomic_store_explicit(&heap->holding, NULL, memory_order_release);
}

static size_t pages_weight(const struct span *span)
{
    return span->is_emptied ? span->slot_bytes / TRAPPED_SHARE : span->slot_bytes;
}

void limbo_large(struct span *span)
{
    void *block = (void *)span->start;
    if (span_is_guarded(span) ? guard_protect(span) : span->slot_bytes >= options_now()->trap_min && large_trap(span))
        return;
    wipe(block, span->slot_bytes);
}

/* Whoever changes the state from allocated holds the block; a second thread is told. */
static void hold_large(struct thread_heap *heap, void *block, struct unit *unit, enum unit_use use,
                       void *caller)
{
    if ((uintptr_t)block != unit->start || unit->use != use) {
        thread_heap_done(heap);
        misuse_invalid_free(block, caller);
        return;
    }
    if (UNLIKELY(large_is_noted(unit)) && !large_end_note(unit, caller)) {
        thread_heap_done(heap);
        return;
    }
    begin_holding(heap, block);
    uint8_t state = atomic_load_explicit(&unit->large_state, memory_order_relaxed);
    while (slot_is_allocated(state) &&
           !atomic_compare_exchange_weak_explicit(&unit->large_state, &state, limbo_state_now,
                                                  memory_order_acq_rel, memory_order_relaxed)) {
    }
    if (UNLIKELY(!slot_is_allocated(state))) {
        end_holding(heap);
        thread_heap_done(heap);
        misuse_double_free(block, unit->slot_bytes, caller);
        return;
    }
    struct span *span = unit->span;
    if (UNLIKELY(span_is_guarded(span)))
        guard_freed(span, caller);
    else if (use == USE_MALLOC)
        heap_record_free(block);
    large_lock();
    limbo_large(span);
    large_unlock();
    size_t weight = pages_weight(span);
    end_holding(heap);
    account(heap, weight);
}

/*
 * A fork may come between a large block's state and its wiping, never in the middle of the latter: who forks has the moving lock.
 */
void limbo_finish(struct thread_heap *heap)
{
    void *block = atomic_load_explicit(&heap->holding, memory_order_relaxed);
    heap->holding = NULL;
    if (block == NULL || unit_at(block)->kind != UNIT_LARGE || unit_at(block)->start != (uintptr_t)block)
        return;
    uint8_t state = atomic_load_explicit(&unit_at(block)->large_state, memory_order_relaxed);
    struct span *span = unit_at(block)->span;
    if (!slot_is_allocated(state) && !span->is_emptied)
        limbo_large(span);
}

COLD static void free_other(struct thread_heap *heap, void *pointer, struct unit *unit,
                            void *caller)
{
    if (unit->kind == UNIT_LARGE) {
        hold_large(heap, pointer, unit, USE_MALLOC, caller);
        return;
    }
    thread_heap_done(heap);
    misuse_free_of_free_unit(pointer, unit, caller);
}

/* Somebody has a note about the slot: does it go, and may it be used again? What is said here was done. */
COLD static bool end_note(void *slot, uint8_t *state, void *caller)
{
    struct block block;
    if (!lookup_block(slot, &block) || !heap_note_freeing(&block, caller))
        return false;
    bool may_go = note_end(&block);
    if (!may_go)
        slot_state_set(state, SLOT_RETIRED);
    return may_go;
}

/* Everything that is not an ordinary block of a thread that has a heap. Without memory for one the block stays as it is. */
NOINLINE static void free_slowly(void *pointer, void *caller)
{
    struct thread_heap *heap = thread_heap_get();
    if (UNLIKELY(heap == NULL))
        return;
    struct unit *unit = unit_at(pointer);
    if (UNLIKELY(unit->kind != UNIT_SPAN)) {
        free_other(heap, pointer, unit, caller);
        return;
    }
    struct slot_position position = unit_slot_position(unit, pointer);
    uint8_t *state = unit->states + position.index;
    if (UNLIKELY(!position.is_start || !slot_is_allocated(slot_state_get(state)))) {
        thread_heap_done(heap);
        refuse(pointer, unit, &position, caller);
        return;
    }
    size_t slot_bytes = unit->slot_bytes;
    if (UNLIKELY(slot_is_noted(slot_state_get(state))) && !end_note(pointer, state, caller)) {
        thread_heap_done(heap);
        return;
    }
    heap_record_free(pointer);
    begin_holding(heap, pointer);
    wipe(pointer, slot_bytes);
    slot_state_set(state, limbo_state_now);
    HOLD(pointer);
    end_holding(heap);
    account(heap, slot_bytes);
}

NOINLINE void limbo_free(void *pointer, void *caller)
{
    struct thread_heap *heap = heap_self;
    struct unit *unit = unit_at(pointer);
    if (UNLIKELY(unit->kind != UNIT_SPAN || heap == &thread_heap_none || heap_recorder != NULL))
        return free_slowly(pointer, caller);
    struct slot_position position = unit_slot_position(unit, pointer);
    uint8_t *state = unit->states + position.index;
    if (UNLIKELY(!position.is_start || !slot_is_plain(slot_state_get(state))))
        return free_slowly(pointer, caller);
    size_t slot_bytes = unit->slot_bytes;
    begin_holding(heap, pointer);
    wipe(pointer, slot_bytes);
    slot_state_set(state, limbo_state_now);
    HOLD(pointer);
    end_holding(heap);
    heap->held_bytes += slot_bytes;
    if (UNLIKELY(heap->held_bytes >= STEP_BYTES))
        tell_of(heap);
}

COLD void limbo_chunk(void *chunk)
{
    struct thread_heap *heap = thread_heap_get();
    struct unit *unit = unit_at(chunk);
    if (heap != NULL)
        hold_large(heap, chunk, unit, unit->use, NULL);
}

/* ---- turning ---- */

static void note_holder(struct thread_heap *heap, void *context)
{
    (void)context;
    heap->was_holding = atomic_load_explicit(&heap->holding, memory_order_acquire);
    if (heap->was_holding != NULL)
        atomic_fetch_add_explicit(&exempt_count, 1, memory_order_relaxed);
}

void limbo_turn(void)
{
    limbo_state_now = limbo_state_before();
    atomic_store_explicit(&exempt_count, 0, memory_order_relaxed);
    thread_heap_each(note_holder, NULL);
    atomic_store_explicit(&since_turn, 0, memory_order_relaxed);
}

COLD void limbo_turn_unwatched(void)
{
    limbo_turn();
}

/* ---- releasing ---- */

/* The first byte that differs, or size_bytes. */
COLD static size_t offset_of_change(const unsigned char *bytes, size_t size_bytes)
{
    size_t i = 0;
    while (i < size_bytes && bytes[i] == (unsigned char)wiped[0])
        i++;
    return i;
}

static size_t find_change(const void *slot, size_t size_bytes)
{
    const line *next = slot;
    const line *end = (const line *)((const char *)slot + size_bytes);
    line differences = {0, 0};
    for (; end - next >= 4; next += 4) {
        differences |=
            (next[0] ^ wiped) | (next[1] ^ wiped) | (next[2] ^ wiped) | (next[3] ^ wiped);
        if (UNLIKELY((differences[0] | differences[1]) != 0))
            break;
    }
    for (; next < end; next++)
        differences |= *next ^ wiped;
    return LIKELY((differences[0] | differences[1]) == 0) ? size_bytes
                                                          : offset_of_change(slot, size_bytes);
}

/* A release on its way. */
struct release {
    uint8_t candidate;
    limbo_changed *changed;
    struct limbo_result result;
};

struct exempting {
    const struct span *span;
    uint64_t *garbage;
};

static void exempt(struct thread_heap *heap, void *context)
{
    const struct exempting *exempting = context;
    const struct span *span = exempting->span;
    uintptr_t offset = (uintptr_t)heap->was_holding - span->start;
    if (heap->was_holding == NULL || offset >= span->unit_count << UNIT_SHIFT)
        return;
    size_t index = offset / span->slot_bytes;
    if (index < span->slot_count)
        bitmap_clear(exempting->garbage, index);
}

enum { SLOTS_AHEAD = 6, FETCHED_BYTES = 1024 };

/* Most of what is held has left the cache by now, and lies in no order that the processor would guess. Returns the other bits. */
static inline uint64_t fetch_lowest(const struct span *span, size_t first_index, uint64_t bits)
{
    const char *slot = (const char *)span_slot(span, first_index + bit_lowest(bits));
    for (size_t i = 0; i < FETCHED_BYTES && i < span->slot_bytes; i += CACHE_LINE_BYTES)
        __builtin_prefetch(slot + i);
    return bits & (bits - 1);
}

/* Leaves the blocks out that somebody wrote to; they look clean and held again. */
static void keep_changed(struct release *release, const struct span *span, uint64_t *word,
                         size_t first_index)
{
    uint64_t ahead = *word;
    for (int i = 0; i < SLOTS_AHEAD && ahead != 0; i++)
        ahead = fetch_lowest(span, first_index, ahead);
    for (uint64_t bits = *word; bits != 0; bits &= bits - 1) {
        size_t index = first_index + bit_lowest(bits);
        void *slot = (void *)span_slot(span, index);
        if (ahead != 0)
            ahead = fetch_lowest(span, first_index, ahead);
        size_t offset = find_change(slot, span->slot_bytes);
        if (LIKELY(offset >= span->slot_bytes))
            continue;
        release->changed(&(struct limbo_change){slot, span->slot_bytes, offset, span, index});
        release->result.changed_blocks++;
        wipe(slot, span->slot_bytes);
        slot_state_set(&span->states[index], limbo_state_now);
        *word &= ~(bits & -bits);
    }
}

/* The span has a candidate, so it stays; only its owner may change before its lock is held. */
static struct thread_heap *lock_owner(const struct span *span)
{
    for (;;) {
        struct thread_heap *owner = __atomic_load_n(&span->owner, __ATOMIC_ACQUIRE);
        lock_take(&owner->lock);
        if (__atomic_load_n(&span->owner, __ATOMIC_ACQUIRE) == owner)
            return owner;
        lock_release(&owner->lock);
    }
}

static void release_slots(struct release *release, struct span *span)
{
    uint64_t garbage[WORDS_MAX];
    uint32_t total = 0;
    for (size_t word = 0; word < words_for(span->slot_count); word++)
        garbage[word] = bytes_equal(span->states + word * WORD_BITS,
                                    span->slot_count - word * WORD_BITS, release->candidate);
    if (UNLIKELY(atomic_load_explicit(&exempt_count, memory_order_relaxed) != 0))
        thread_heap_each(exempt, &(struct exempting){span, garbage});
    for (size_t word = 0; word < words_for(span->slot_count); word++) {
        if (release->changed != NULL)
            keep_changed(release, span, &garbage[word], word * WORD_BITS);
        total += bit_count(garbage[word]);
    }
    if (total == 0)
        return;
    size_t slot_bytes = span->slot_bytes;
    struct thread_heap *owner = lock_owner(span);
    buffer_release(span, garbage);
    lock_release(&owner->lock);
    release->result.released_blocks += total;
    release->result.released_bytes += total * slot_bytes;
}

static bool is_exempt_large(const struct span *span)
{
    uint64_t one = 1;
    if (atomic_load_explicit(&exempt_count, memory_order_relaxed) != 0)
        thread_heap_each(exempt, &(struct exempting){span, &one});
    return one == 0;
}

static void release_large(struct release *release, struct span *span)
{
    size_t size_bytes = span->slot_bytes;
    bool is_looked_at = release->changed != NULL && !span->is_emptied;
    size_t offset = is_looked_at ? find_change((void *)span->start, size_bytes) : size_bytes;
    if (is_exempt_large(span))
        return;
    if (UNLIKELY(offset < size_bytes)) {
        release->changed(&(struct limbo_change){(void *)span->start, size_bytes, offset, span, 0});
        release->result.changed_blocks++;
        wipe((void *)span->start, size_bytes);
    } else if (large_release_held(span)) {
        release->result.released_blocks++;
        release->result.released_bytes += size_bytes;
        return;
    }
    atomic_store_explicit(&heap_layout.units[span->first_unit].large_state, limbo_state_now,
                          memory_order_relaxed);
}

static void count_kept(struct release *release, const struct span *span, bool is_large)
{
    size_t count = 0;
    if (is_large)
        count = atomic_load_explicit(&heap_layout.units[span->first_unit].large_state,
                                     memory_order_relaxed) == limbo_state_now;
    else
        for (size_t i = 0; i < span->slot_count; i += WORD_BITS)
            count +=
                bit_count(bytes_equal(span->states + i, span->slot_count - i, limbo_state_now));
    release->result.kept_blocks += count;
    release->result.kept_bytes += count * (is_large ? pages_weight(span) : span->slot_bytes);
}

static bool has_candidate(const struct span *span, uint8_t candidate, bool is_large)
{
    if (is_large)
        return atomic_load_explicit(&heap_layout.units[span->first_unit].large_state,
                                    memory_order_relaxed) == candidate;
    return memchr(span->states, candidate, span->slot_count) != NULL;
}

/*
 * The next span at or behind a unit that has a candidate, or NULL. One without may go at any time, so it is looked at under the
 * run lock, which others wait for: a few at a time.
 */
static struct span *next_with_candidate(struct release *release, size_t *unit_index)
{
    for (;;) {
        run_lock();
        for (int i = 0; i < SPANS_AT_ONCE; i++) {
            struct span *span = span_from(*unit_index);
            if (span == NULL) {
                run_unlock();
                return NULL;
            }
            bool is_large = heap_layout.units[span->first_unit].kind == UNIT_LARGE;
            *unit_index = span->first_unit + span->unit_count;
            count_kept(release, span, is_large);
            if (has_candidate(span, release->candidate, is_large)) {
                run_unlock();
                return span;
            }
        }
        run_unlock();
    }
}

void limbo_release(limbo_changed *changed, struct limbo_result *result_out)
{
    struct release release = {.candidate = limbo_state_before(), .changed = changed};
    size_t next = 0;
    struct span *span;
    while ((span = next_with_candidate(&release, &next)) != NULL) {
        if (heap_layout.units[span->first_unit].kind == UNIT_LARGE)
            release_large(&release, span);
        else
            release_slots(&release, span);
    }
    atomic_store_explicit(&limbo_total, release.result.kept_bytes, memory_order_relaxed);
    *result_out = release.result;
}

COLD void limbo_end(void)
{
    struct limbo_result result;
    heap_layout.holds_freed = false;
    limbo_set_allowed(0);
    limbo_turn_unwatched();
    limbo_release(NULL, &result);
    limbo_turn_unwatched();
    limbo_release(NULL, &result);
    misuse_report_noted();
}
