/*
 * leak/record: one record a block, written by the thread that gets it.
 *
 * A record stays when its block is freed, until the slot is handed out again; so nothing is to be done in free().
 * With samples, a block that is none clears what an earlier one in its slot has left: has_records in the descriptor,
 * which free() has in the cache anyway, says whether there may be anything.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "leak/record.h"

#include "base/compiler.h"
#include "base/image.h"
#include "heap/layout.h"
#include "heap/lookup.h"
#include "heap/metadata.h"
#include "heap/recorder.h"
#include "heap/span.h"
#include "heap/thread.h"
#include "leak/healed.h"
#include "leak/lives.h"
#include "leak/rules.h"
#include "leak/sample.h"
#include "leak/stacks.h"
#include "leak/trail.h"
#include "leak/unwind.h"
#include "os/object.h"
#include "os/process.h"
#include "os/random.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct block_record) == 12, "span_column_bytes[COLUMN_STACK]");

/*
 * A thread that records: its number, and the fork it was given in. A handler that comes in the middle of a walk finds
 * that busy_at, the stack pointer of that walk, lies above its own, and takes no stack. After a longjmp() out of such
 * a handler it soon lies below, and does not count any more.
 */
struct recording_thread {
    uintptr_t busy_at;
    uint32_t forks;
    uint16_t number;
    uint16_t ignores; /* how often record_ignore() was called */
    const void *newest; /* the block it allocated last */
    struct sampler sampler;
};

static struct leak_tables *tables;
static uint64_t seed; /* of the threads' samplers */
static struct os_object own_object;
static _Thread_local struct recording_thread self __attribute__((tls_model("initial-exec")));

/* The coarse clock goes in steps of 4 ms, for a fifth of the other's cost: good for ages, but not for lifetimes. */
static uint32_t now_ms(void)
{
    uint64_t now_ns = UNLIKELY(tables->lives != NULL) ? os_clock_ns() : os_clock_coarse_ns();
    return (uint32_t)((now_ns - tables->start_ns) / 1000000);
}

/* The child of a fork has one thread, with an id of its own. */
COLD static uint16_t make_number(uint32_t time_ms)
{
    struct thread_table *threads = tables->threads;
    uint32_t number = atomic_load_explicit(&threads->count, memory_order_relaxed);
    self.forks = image_now->fork_count + 1;
    self.number = 0;
    if (number >= THREAD_COUNT_MAX)
        return 0;
    number = atomic_fetch_add_explicit(&threads->count, 1, memory_order_relaxed);
    if (number >= THREAD_COUNT_MAX)
        return 0;
    threads->threads[number] = (struct thread_entry){
        .thread_id = os_thread_id(), .first_ms = time_ms, .forks = image_now->fork_count};
    self.number = (uint16_t)number;
    return self.number;
}

static uint16_t number_of_thread(uint32_t time_ms)
{
    return LIKELY(self.forks == image_now->fork_count + 1) ? self.number : make_number(time_ms);
}

/* In the last destructors of a thread, and when memory is short. */
COLD static uint32_t take_stack_plainly(const struct os_registers *from, uint32_t time_ms)
{
    uint64_t frames[FRAMES_MAX];
    uint32_t count =
        unwind_stack(from, own_object.start, own_object.end, frames, tables->frames_max, time_ms);
    return stacks_id(tables->stacks, frames, count, stacks_hash(frames, count), (struct stacks_known){0, 0, 0, 0});
}

/* The trail stays with the heap when its thread ends. What it says is checked before it is believed, so the next one may have it. */
static uint32_t take_stack(const struct os_registers *from, uint32_t time_ms)
{
    struct thread_heap *heap = heap_self;
    struct trail *trail = heap->recorder_place;
    if (UNLIKELY(trail == NULL) && heap != &thread_heap_none)
        trail = heap->recorder_place = trail_make(tables->frames_max);
    if (UNLIKELY(trail == NULL))
        return take_stack_plainly(from, time_ms);
    trail_follow(trail, from, own_object.start, own_object.end, time_ms);
    if (trail->id == 0)
        trail->id = stacks_id(tables->stacks, trail->stack, trail->count, trail->hash, trail_known(trail));
    return trail->id;
}

/* Not in a signal's handler that interrupts a walk. */
static uint32_t take_stack_once(const struct os_registers *here, uint32_t time_ms)
{
    if (UNLIKELY(self.busy_at != 0) && here->stack_pointer <= self.busy_at)
        return 0;
    self.busy_at = here->stack_pointer;
    atomic_signal_fence(memory_order_seq_cst);
    uint32_t stack = take_stack(here, time_ms);
    atomic_signal_fence(memory_order_seq_cst);
    self.busy_at = 0;
    return stack;
}

/* Says in all of its descriptors that the span has records. */
COLD static void note_records(const struct span *span)
{
    for (size_t i = 0; i < span->unit_count; i++)
        __atomic_store_n(&heap_layout.units[span->first_unit + i].has_records, 1, __ATOMIC_RELAXED);
}

static bool has_records(const struct unit *unit)
{
    return __atomic_load_n(&unit->has_records, __ATOMIC_RELAXED) != 0;
}

static size_t index_in_span(const struct unit *unit, const void *block)
{
    return unit->kind == UNIT_LARGE ? 0 : unit_slot_position(unit, block).index;
}

/* The block with this record is gone: it was freed, or has another size now. Once. */
static void end_life(struct block_record *record, const struct span *span, bool is_brief)
{
    if (!record_is_set(record) || (record->stack & RECORD_ENDED) != 0)
        return;
    uint32_t time_ms = now_ms();
    lives_end(tables, record, span->slot_bytes, time_ms > record->time_ms ? time_ms - record->time_ms : 0, is_brief);
    record->stack |= RECORD_ENDED;
}

static void clear_record(const struct unit *unit, const void *block)
{
    struct block_record *records =
        __atomic_load_n(&unit->span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    if (records == NULL)
        return;
    struct block_record *record = &records[index_in_span(unit, block)];
    if (UNLIKELY(tables->lives != NULL))
        end_life(record, unit->span, false);
    *record = (struct block_record){0};
}

static bool is_chosen(size_t size_bytes)
{
    uint64_t mean_bytes = tables->sample_bytes;
    return mean_bytes == 0 || UNLIKELY(self.ignores != 0) ||
           sample_takes(&self.sampler, size_bytes, mean_bytes, seed ^ (uintptr_t)&self);
}

static uint16_t unused_of(size_t block_bytes, size_t size_bytes)
{
    size_t unused_bytes = block_bytes - size_bytes;
    return unused_bytes < UINT16_MAX ? (uint16_t)unused_bytes : UINT16_MAX;
}

static void record(const struct unit *unit, const void *block, size_t size_bytes)
{
    struct span *span = unit->span;
    struct block_record *records = span_need_column(span, COLUMN_STACK);
    if (UNLIKELY(records == NULL))
        return;
    struct block_record *place = &records[index_in_span(unit, block)];
    __builtin_prefetch(place, 1);
    if (UNLIKELY(!has_records(unit)) && unit->kind != UNIT_LARGE)
        note_records(span);
    struct block_record made = {.time_ms = now_ms(),
                                .unused_bytes = unused_of(span->slot_bytes, size_bytes)};
    made.thread = number_of_thread(made.time_ms);
    struct os_registers here = os_registers_here();
    made.stack = take_stack_once(&here, made.time_ms);
    if (UNLIKELY(self.ignores != 0))
        made.stack |= RECORD_IGNORED;
    if (UNLIKELY(tables->lives != NULL)) {
        end_life(place, span, false); /* of a block that was resized where it is */
        lives_begin(tables, &made, span->slot_bytes);
        self.newest = block;
    }
    *place = made;
}

static void on_allocated(void *block, size_t size_bytes)
{
    const struct unit *unit = unit_at(block);
    if (is_chosen(size_bytes))
        record(unit, block, size_bytes);
    else if (UNLIKELY(has_records(unit)) || unit->kind == UNIT_LARGE)
        clear_record(unit, block);
}

static void on_guarded(void *block, size_t size_bytes)
{
    record(unit_at(block), block, size_bytes);
}

/* With the option quarantine, or of a guarded block: a block without a record of its allocation is no sample. */
static void on_freed(void *block)
{
    const struct unit *unit = unit_at(block);
    size_t index = index_in_span(unit, block);
    const struct block_record *records =
        __atomic_load_n(&unit->span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    if (records == NULL || records[index].stack == 0)
        return;
    uint32_t *stacks = span_need_column(unit->span, COLUMN_FREED);
    if (stacks == NULL)
        return;
    struct os_registers here = os_registers_here();
    stacks[index] = take_stack_once(&here, now_ms());
}

/* With the option lifetimes, of every block. */
static void on_ending(void *block)
{
    const struct unit *unit = unit_at(block);
    struct block_record *records = __atomic_load_n(&unit->span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    if (records != NULL && tables->lives != NULL)
        end_life(&records[index_in_span(unit, block)], unit->span, block == self.newest);
}

/* What is reclaimed was lost: a leak, healed. */
static void on_reclaimed(const struct span *span, size_t index)
{
    struct block_record *records = __atomic_load_n(&span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    if (records == NULL || !record_is_set(&records[index]))
        return;
    healed_add(tables, &records[index], span->slot_bytes);
    if (tables->lives != NULL)
        end_life(&records[index], span, false);
}

static const struct heap_recorder recorder = {
    .allocated = on_allocated, .guarded = on_guarded, .freed = on_freed, .ending = on_ending, .reclaimed = on_reclaimed};
static const struct heap_recorder guarded_recorder = {.guarded = on_guarded, .freed = on_freed, .reclaimed = on_reclaimed};

/* What was made before memory ran out is lost: once, at the start. */
static struct leak_tables *make_tables(uint32_t frames_max, uint64_t sample_bytes)
{
    struct leak_tables *made = metadata_take(sizeof *made);
    if (made == NULL)
        return NULL;
    made->tables_bytes = sizeof *made;
    made->frames_max = frames_max < FRAMES_MAX ? frames_max : FRAMES_MAX;
    made->sample_bytes = sample_bytes;
    made->start_ns = os_clock_coarse_ns();
    made->stacks = stacks_make();
    made->modules = metadata_take(sizeof *made->modules);
    made->threads = metadata_take(sizeof *made->threads);
    if (made->stacks == NULL || made->modules == NULL || made->threads == NULL ||
        rules_start(made->modules) != 0)
        return NULL;
    atomic_store_explicit(&made->modules->count, 1, memory_order_relaxed);
    atomic_store_explicit(&made->threads->count, 1, memory_order_relaxed);
    return made;
}

static int start(uint32_t frames_max, uint64_t sample_bytes, bool skips_own, const struct heap_recorder *told)
{
    struct os_object object;
    struct os_registers here = os_registers_here();
    if (image_now == NULL) /* the heap could not start; it may yet */
        return -ENOMEM;
    if (!os_object_find(here.program_counter, &object))
        return -EOPNOTSUPP;
    if (skips_own)
        own_object = object;
    tables = make_tables(frames_max, sample_bytes);
    if (tables == NULL)
        return -ENOMEM;
    seed = sample_bytes == 0 ? 0 : os_random();
    image_now->leak = tables;
    heap_recorder_register(told);
    return 0;
}

int record_start(uint32_t frames_max, uint64_t sample_bytes, bool skips_own)
{
    return start(frames_max, sample_bytes, skips_own, &recorder);
}

int record_start_guarded(uint32_t frames_max)
{
    return start(frames_max, 0, true, &guarded_recorder);
}

int record_count_lives(void)
{
    tables->lives = lives_make();
    tables->stacks->has_lives = tables->lives != NULL;
    return tables->lives != NULL ? 0 : -ENOMEM;
}

void record_ignore(int by)
{
    if (by > 0 ? self.ignores < UINT16_MAX : self.ignores > 0)
        self.ignores = (uint16_t)(self.ignores + by);
}

int record_ignore_block(const void *address)
{
    struct block block;
    if (tables == NULL)
        return 0;
    if (!lookup_block(address, &block) || !block_is_allocated(&block))
        return -EINVAL;
    struct block_record *records = span_need_column(block.span, COLUMN_STACK);
    if (records == NULL)
        return -ENOMEM;
    note_records(block.span);
    records[block.index].stack |= RECORD_IGNORED;
    return 0;
}

void record_own_object(uintptr_t *start_out, uintptr_t *end_out)
{
    *start_out = own_object.start;
    *end_out = own_object.end;
}

void record_thread_ends(void)
{
    if (tables == NULL || self.number == 0 || self.forks != image_now->fork_count + 1)
        return;
    struct thread_entry *entry = &tables->threads->threads[self.number];
    os_own_name(entry->name);
    entry->ended_ms = now_ms();
}

void record_unloaded(void)
{
    if (tables != NULL)
        rules_refresh(now_ms());
}

bool record_get(const void *address, struct block_record *record_out)
{
    struct block block;
    if (!lookup_block(address, &block))
        return false;
    const struct block_record *records =
        __atomic_load_n(&block.span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    if (records == NULL ||
        !record_is_set(&records[block.index]))
        return false;
    *record_out = records[block.index];
    return true;
}
