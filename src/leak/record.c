/*
 * leak/record: one record a block, written by the thread that gets it.
 *
 * A record stays when its block is freed, until the slot is handed out again; so nothing is to be done in free().
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
#include "leak/stacks.h"
#include "leak/unwind.h"
#include "os/object.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct block_record) == 12, "span_column_bytes[COLUMN_STACK]");

/* A thread that records: its number, and the fork it was given in. A signal's handler finds `busy` and takes no stack. */
struct recording_thread {
    uint32_t forks;
    uint16_t number;
    bool busy;
};

static struct leak_tables *tables;
static struct os_object own_object;
static _Thread_local struct recording_thread self __attribute__((tls_model("initial-exec")));

static uint32_t now_ms(void)
{
    return (uint32_t)((os_clock_coarse_ns() - tables->start_ns) / 1000000);
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
    threads->threads[number] = (struct thread_entry){os_thread_id(), time_ms};
    self.number = (uint16_t)number;
    return self.number;
}

static uint16_t number_of_thread(uint32_t time_ms)
{
    return LIKELY(self.forks == image_now->fork_count + 1) ? self.number : make_number(time_ms);
}

NOINLINE static uint32_t take_stack(const struct os_registers *from, uint32_t time_ms)
{
    uint64_t frames[FRAMES_MAX];
    uint32_t count =
        unwind_stack(from, own_object.start, own_object.end, frames, tables->frames_max, time_ms);
    return stacks_id(tables->stacks, frames, count);
}

static uint16_t unused_of(size_t block_bytes, size_t size_bytes)
{
    size_t unused_bytes = block_bytes - size_bytes;
    return unused_bytes < UINT16_MAX ? (uint16_t)unused_bytes : UINT16_MAX;
}

static void on_allocated(void *block, size_t size_bytes)
{
    struct unit *unit = unit_at(block);
    struct span *span = unit->span;
    struct block_record *records = span_need_column(span, COLUMN_STACK);
    if (UNLIKELY(records == NULL))
        return;
    size_t index = unit->kind == UNIT_LARGE ? 0 : unit_slot_position(unit, block).index;
    struct block_record record = {.time_ms = now_ms(), .unused_bytes = unused_of(span->slot_bytes, size_bytes)};
    record.thread = number_of_thread(record.time_ms);
    if (LIKELY(!self.busy)) {
        self.busy = true;
        atomic_signal_fence(memory_order_seq_cst);
        struct os_registers here = os_registers_here();
        record.stack = take_stack(&here, record.time_ms);
        atomic_signal_fence(memory_order_seq_cst);
        self.busy = false;
    }
    records[index] = record;
}

static const struct heap_recorder recorder = {.allocated = on_allocated};

static int make_tables(uint32_t frames_max)
{
    tables = metadata_take(sizeof *tables);
    if (tables == NULL)
        return -ENOMEM;
    tables->tables_bytes = sizeof *tables;
    tables->frames_max = frames_max < FRAMES_MAX ? frames_max : FRAMES_MAX;
    tables->start_ns = os_clock_coarse_ns();
    tables->stacks = stacks_make();
    tables->modules = metadata_take(sizeof *tables->modules);
    tables->threads = metadata_take(sizeof *tables->threads);
    if (tables->stacks == NULL || tables->modules == NULL || tables->threads == NULL)
        return -ENOMEM;
    atomic_store_explicit(&tables->modules->count, 1, memory_order_relaxed);
    atomic_store_explicit(&tables->threads->count, 1, memory_order_relaxed);
    return unwind_start(tables->modules);
}

int record_start(uint32_t frames_max, bool skips_own)
{
    if (skips_own)
        os_object_find((uintptr_t)&recorder, &own_object);
    int result = make_tables(frames_max);
    if (result != 0)
        return result;
    image_now->leak = tables;
    heap_recorder_register(&recorder);
    return 0;
}

void record_unloaded(void)
{
    if (tables != NULL)
        unwind_refresh(now_ms());
}

bool record_get(const void *address, struct block_record *record_out)
{
    struct block block;
    if (!lookup_block(address, &block))
        return false;
    const struct block_record *records = __atomic_load_n(&block.span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    if (records == NULL || records[block.index].time_ms + records[block.index].thread + records[block.index].stack == 0)
        return false;
    *record_out = records[block.index];
    return true;
}
