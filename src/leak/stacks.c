/*
 * leak/stacks: a hash table that is read and added to without locks.
 *
 * Stacks are appended to chunks and linked into the list of their hash with one compare-and-swap. When there are more
 * stacks than lists, one thread makes more lists and moves all stacks over, a list at a time; the others look in both
 * places. Who walks the very list that is being moved may miss what it looks for and enter a stack twice, which costs
 * memory and is otherwise harmless: reports compare frames. Lists have no cycles at any moment, since each stack is
 * linked in front.
 *
 * Uses heap (metadata). Locks: none.
 */
#include "leak/stacks.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/image.h"
#include "heap/metadata.h"

#include <stdbool.h>
#include <string.h>

enum {
    HEADS_FIRST = 4096,
    HEADS_GROWTH = 8,
    HEADS_MAX = 1 << 24,
    HEADER_WORDS = sizeof(struct stack) / 8
};

_Static_assert(sizeof(struct stack) % 8 == 0 && HEADER_WORDS + FRAMES_MAX < STACK_CHUNK_WORDS,
               "fits a chunk");

static size_t heads_bytes(uint32_t count)
{
    return sizeof(struct stack_heads) + (size_t)count * sizeof(uint32_t);
}

static struct stack_heads *make_heads(uint32_t count)
{
    struct stack_heads *heads = metadata_take(heads_bytes(count));
    if (heads != NULL)
        heads->mask = count - 1;
    return heads;
}

struct stack_table *stacks_make(void)
{
    struct stack_table *table = metadata_take(sizeof *table);
    struct stack_heads *heads = table == NULL ? NULL : make_heads(HEADS_FIRST);
    if (heads == NULL) {
        metadata_put(table, sizeof *table);
        return NULL;
    }
    atomic_store_explicit(&table->used_words, 1, memory_order_relaxed);
    atomic_store_explicit(&table->heads, heads, memory_order_release);
    return table;
}

/* A sum of products, which do not wait for each other. */
uint64_t stacks_hash(const uint64_t *frames, uint32_t frame_count)
{
    uint64_t sum = 0;
    uint64_t factor = 1;
    for (uint32_t i = 0; i < frame_count; i++) {
        sum += frames[i] * factor;
        factor *= STACK_HASH_FACTOR;
    }
    return stacks_hash_end(sum, frame_count);
}

static struct stack *at(const struct stack_table *table, uint32_t id)
{
    uint64_t *chunk =
        atomic_load_explicit(&table->chunks[id / STACK_CHUNK_WORDS], memory_order_acquire);
    return chunk == NULL ? NULL : (struct stack *)(chunk + id % STACK_CHUNK_WORDS);
}

const struct stack *stacks_get(const struct stack_table *table, uint32_t id)
{
    uint32_t used = atomic_load_explicit(&table->used_words, memory_order_acquire);
    if (id == 0 || id >= used || id / STACK_CHUNK_WORDS >= STACK_CHUNK_COUNT)
        return NULL;
    uint32_t room = STACK_CHUNK_WORDS - id % STACK_CHUNK_WORDS;
    const struct stack *stack = at(table, id);
    bool is_whole = stack != NULL && room > HEADER_WORDS && stack->frame_count != 0 &&
                    stack->frame_count <= FRAMES_MAX && stack->frame_count <= room - HEADER_WORDS;
    return is_whole ? stack : NULL;
}

static inline uint32_t find_in(const struct stack_table *table, const struct stack_heads *heads,
                               uint32_t hash, const uint64_t *frames, uint32_t frame_count)
{
    uint32_t id = atomic_load_explicit(&heads->heads[hash & heads->mask], memory_order_acquire);
    while (id != 0) {
        struct stack *stack = at(table, id);
        if (stack->hash == hash && stack->frame_count == frame_count &&
            memcmp(stack->frames, frames, frame_count * sizeof *frames) == 0)
            return id;
        id = __atomic_load_n(&stack->next, __ATOMIC_ACQUIRE);
    }
    return 0;
}

/* Room for so many words in one chunk. Returns its id, or 0. */
static uint32_t reserve(struct stack_table *table, uint32_t words)
{
    uint32_t used = atomic_load_explicit(&table->used_words, memory_order_relaxed);
    uint32_t first;
    do {
        uint32_t rest = STACK_CHUNK_WORDS - used % STACK_CHUNK_WORDS;
        first = rest < words ? used + rest : used;
        if (first + words > (uint32_t)STACK_CHUNK_COUNT * STACK_CHUNK_WORDS)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&table->used_words, &used, first + words,
                                                    memory_order_acq_rel, memory_order_relaxed));
    uint64_t *_Atomic *chunk = &table->chunks[first / STACK_CHUNK_WORDS];
    if (LIKELY(atomic_load_explicit(chunk, memory_order_acquire) != NULL))
        return first;
    uint64_t *none = NULL;
    uint64_t *made = metadata_take(STACK_CHUNK_WORDS * sizeof *made);
    if (made == NULL)
        return 0;
    if (!atomic_compare_exchange_strong_explicit(chunk, &none, made, memory_order_acq_rel,
                                                 memory_order_acquire))
        metadata_put(made, STACK_CHUNK_WORDS * sizeof *made);
    return first;
}

static void link_first(const struct stack_table *table, struct stack_heads *heads, uint32_t id)
{
    struct stack *stack = at(table, id);
    _Atomic uint32_t *head = &heads->heads[stack->hash & heads->mask];
    uint32_t first = atomic_load_explicit(head, memory_order_relaxed);
    do
        __atomic_store_n(&stack->next, first, __ATOMIC_RELAXED);
    while (!atomic_compare_exchange_weak_explicit(head, &first, id, memory_order_release,
                                                  memory_order_relaxed));
}

/* Moves all stacks from the old lists to the new. */
static void link_anew(struct stack_table *table, struct stack_heads *from, struct stack_heads *to)
{
    for (uint32_t i = 0; i <= from->mask; i++) {
        uint32_t id = atomic_exchange_explicit(&from->heads[i], 0, memory_order_acq_rel);
        while (id != 0) {
            uint32_t next = __atomic_load_n(&at(table, id)->next, __ATOMIC_ACQUIRE);
            link_first(table, to, id);
            id = next;
        }
    }
}

/*
 * A thread that a fork took away in the middle of this has left `growing` with the parent's count: the child may begin
 * again. The new lists are in use from the start, so nothing is entered into the old ones from then on but by who had
 * already looked; what these add is found by nobody, and no harm is done.
 */
COLD static void grow(struct stack_table *table)
{
    uint32_t mine = image_now->fork_count + 1;
    uint32_t growing = atomic_load_explicit(&table->growing, memory_order_relaxed);
    struct stack_heads *old = atomic_load_explicit(&table->heads, memory_order_acquire);
    uint32_t wanted = (old->mask + 1) * HEADS_GROWTH;
    if (growing == mine || wanted > HEADS_MAX ||
        !atomic_compare_exchange_strong_explicit(&table->growing, &growing, mine,
                                                 memory_order_acq_rel, memory_order_relaxed))
        return;
    struct stack_heads *heads = make_heads(wanted);
    if (heads != NULL && atomic_load_explicit(&table->heads, memory_order_acquire) == old) {
        atomic_store_explicit(&table->previous, old, memory_order_relaxed);
        atomic_store_explicit(&table->heads, heads, memory_order_release);
        link_anew(table, old, heads);
        atomic_store_explicit(&table->previous, NULL, memory_order_relaxed);
    } else if (heads != NULL) {
        metadata_put(heads, heads_bytes(wanted));
    }
    atomic_store_explicit(&table->growing, 0, memory_order_release);
}

NOINLINE static uint32_t add(struct stack_table *table, uint32_t hash, const uint64_t *frames,
                             uint32_t frame_count)
{
    struct stack_heads *previous = atomic_load_explicit(&table->previous, memory_order_relaxed);
    if (previous != NULL) {
        uint32_t known = find_in(table, previous, hash, frames, frame_count);
        known = known != 0 ? known
                           : find_in(table, atomic_load(&table->heads), hash, frames, frame_count);
        if (known != 0)
            return known;
    }
    uint32_t id = reserve(table, HEADER_WORDS + frame_count);
    if (id == 0) {
        atomic_fetch_add_explicit(&table->lost, 1, memory_order_relaxed);
        return 0;
    }
    struct stack *stack = at(table, id);
    stack->hash = hash;
    memcpy(stack->frames, frames, frame_count * sizeof *frames);
    __atomic_store_n(&stack->frame_count, frame_count, __ATOMIC_RELEASE);
    struct stack_heads *heads = atomic_load_explicit(&table->heads, memory_order_acquire);
    link_first(table, heads, id);
    if (atomic_fetch_add_explicit(&table->count, 1, memory_order_relaxed) > heads->mask)
        grow(table);
    return id;
}

uint32_t stacks_id(struct stack_table *table, const uint64_t *frames, uint32_t frame_count, uint64_t hash)
{
    if (frame_count == 0)
        return 0;
    uint32_t short_hash = (uint32_t)(hash >> 32);
    struct stack_heads *heads = atomic_load_explicit(&table->heads, memory_order_acquire);
    uint32_t id = find_in(table, heads, short_hash, frames, frame_count);
    return LIKELY(id != 0) ? id : add(table, short_hash, frames, frame_count);
}
