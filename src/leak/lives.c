/*
 * leak/lives: counting what comes and goes.
 *
 * Uses os, heap (metadata). Locks: none; everything is only added, see leak/tables.h.
 */
#include "leak/lives.h"

#include "base/compiler.h"
#include "base/counter.h"
#include "heap/metadata.h"
#include "leak/sample.h"
#include "leak/stacks.h"
#include "os/thread.h"

/* ---- the table ---- */

static struct life *get(const struct life_table *table, uint32_t number)
{
    struct life *chunk = atomic_load_explicit(&table->chunks[number / LIFE_CHUNK], memory_order_acquire);
    return chunk != NULL ? &chunk[number % LIFE_CHUNK] : NULL;
}

const struct life *lives_get(const struct life_table *table, uint32_t number)
{
    bool is_there = number < LIFE_CHUNKS_MAX * LIFE_CHUNK &&
                    number < atomic_load_explicit(&table->count, memory_order_acquire);
    return is_there ? get(table, number) : NULL;
}

/* Two threads may both make the chunk; one of them gives its own back. */
COLD static bool need_chunk(struct life_table *table, uint32_t number)
{
    struct life *none = NULL;
    struct life *_Atomic *place = &table->chunks[number / LIFE_CHUNK];
    if (atomic_load_explicit(place, memory_order_acquire) != NULL)
        return true;
    struct life *made = metadata_take(LIFE_CHUNK * sizeof *made);
    if (made == NULL)
        return false;
    if (!atomic_compare_exchange_strong_explicit(place, &none, made, memory_order_acq_rel, memory_order_acquire))
        metadata_put(made, LIFE_CHUNK * sizeof *made);
    return true;
}

struct life_table *lives_make(void)
{
    struct life_table *table = metadata_take(sizeof *table);
    if (table == NULL || !need_chunk(table, 0))
        return NULL;
    atomic_store_explicit(&table->count, 1, memory_order_release);
    return table;
}

/* A number for the stack; 0 where there is no room. One that lost a race for the stack is left unused. */
COLD static uint32_t give_number(struct life_table *table, uint32_t *life, uint32_t id)
{
    uint32_t none = 0;
    uint32_t number = atomic_load_explicit(&table->count, memory_order_relaxed);
    do {
        if (number >= LIFE_CHUNKS_MAX * LIFE_CHUNK || !need_chunk(table, number))
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&table->count, &number, number + 1, memory_order_acq_rel,
                                                    memory_order_relaxed));
    get(table, number)->stack = id;
    return __atomic_compare_exchange_n(life, &none, number, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ? number : none;
}

static struct life *life_of(const struct leak_tables *tables, const struct block_record *record)
{
    uint32_t id = record_stack(record);
    uint32_t *life = stacks_life(tables->stacks, id);
    uint32_t number = life != NULL ? __atomic_load_n(life, __ATOMIC_ACQUIRE) : 0;
    if (UNLIKELY(number == 0) && life != NULL)
        number = give_number(tables->lives, life, id);
    return get(tables->lives, number);
}

/* ---- counting ---- */

/* What the block counts for. */
struct amount {
    uint64_t parts; /* of LIFE_ONE */
    uint64_t bytes;
};

static struct amount amount_of(const struct leak_tables *tables, const struct block_record *record, size_t slot_bytes)
{
    size_t size_bytes = record_asked_bytes(record, slot_bytes);
    if (LIKELY(tables->sample_bytes == 0))
        return (struct amount){LIFE_ONE, size_bytes};
    double weight = sample_weight(size_bytes, tables->sample_bytes);
    return (struct amount){(uint64_t)(weight * LIFE_ONE + 0.5), (uint64_t)(weight * (double)size_bytes + 0.5)};
}

void lives_begin(const struct leak_tables *tables, const struct block_record *record, size_t slot_bytes)
{
    struct life *life = life_of(tables, record);
    struct amount amount = amount_of(tables, record, slot_bytes);
    counter_add(&life->made, amount.parts);
    uint64_t made_bytes = counter_add(&life->made_bytes, amount.bytes);
    uint64_t ended_bytes = atomic_load_explicit(&life->ended_bytes, memory_order_relaxed);
    if (made_bytes > ended_bytes)
        counter_raise_to(&life->peak_bytes, made_bytes - ended_bytes);
}

static uint32_t span_of(uint32_t lived_ms)
{
    uint32_t span = lived_ms == 0 ? 0 : 32 - (uint32_t)__builtin_clz(lived_ms);
    return span < LIFE_SPANS ? span : LIFE_SPANS - 1;
}

void lives_end(const struct leak_tables *tables, const struct block_record *record, size_t slot_bytes, uint32_t lived_ms,
               bool is_brief)
{
    struct life *life = life_of(tables, record);
    struct amount amount = amount_of(tables, record, slot_bytes);
    counter_add(&life->ended, amount.parts);
    counter_add(&life->ended_bytes, amount.bytes);
    counter_add(&life->spans[span_of(lived_ms)], amount.parts);
    if (is_brief)
        counter_add(&life->brief, amount.parts);
}
