/*
 * leak/stacks: a hash table that is read and added to without locks.
 *
 * A stack refers to an older one for the frames that the two have in common, if who enters it says which (leak/trail); to the very
 * one that has the first of them as its own, so that each further one of the way adds a frame at least.
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
    HEADS_GROWTH = 4,
    HEADS_MAX = 1 << 24,
    HEADER_WORDS = sizeof(struct stack_entry) / 8
};

_Static_assert(sizeof(struct stack_entry) % 8 == 0 && HEADER_WORDS + FRAMES_MAX + 1 < STACK_CHUNK_WORDS, "fits a chunk");
_Static_assert(FRAMES_MAX <= UINT8_MAX, "counts are bytes");

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

static struct stack_entry *at(const struct stack_table *table, uint32_t id)
{
    uint64_t *chunk =
        atomic_load_explicit(&table->chunks[id / STACK_CHUNK_WORDS], memory_order_acquire);
    return chunk == NULL ? NULL : (struct stack_entry *)(chunk + id % STACK_CHUNK_WORDS);
}

static uint32_t words_of(const struct stack_entry *entry)
{
    return HEADER_WORDS + entry->own_count + (entry->has_life != 0 ? 1u : 0u);
}

/* NULL for what can't be one. */
static struct stack_entry *entry_of(const struct stack_table *table, uint32_t id)
{
    uint32_t used = atomic_load_explicit(&table->used_words, memory_order_acquire);
    if (id == 0 || id >= used || id / STACK_CHUNK_WORDS >= STACK_CHUNK_COUNT)
        return NULL;
    uint32_t room = STACK_CHUNK_WORDS - id % STACK_CHUNK_WORDS;
    struct stack_entry *entry = at(table, id);
    if (entry == NULL || room <= HEADER_WORDS)
        return NULL;
    uint32_t count = __atomic_load_n(&entry->frame_count, __ATOMIC_ACQUIRE);
    bool is_whole = count != 0 && count <= FRAMES_MAX && entry->own_count != 0 && entry->own_count <= count &&
                    words_of(entry) <= room;
    return is_whole ? entry : NULL;
}

const struct stack *stacks_get(const struct stack_table *table, uint32_t id, struct stack *stack_out)
{
    const struct stack_entry *entry = entry_of(table, id);
    uint32_t wanted = entry != NULL ? entry->frame_count : 0;
    uint32_t count = 0;
    uint32_t skip = 0;
    while (entry != NULL && skip < entry->own_count) {
        uint32_t taken = entry->own_count - skip < wanted - count ? entry->own_count - skip : wanted - count;
        memcpy(stack_out->frames + count, entry->frames + skip, taken * sizeof *entry->frames);
        count += taken;
        if (count == wanted) {
            stack_out->frame_count = wanted;
            return stack_out;
        }
        skip = entry->outer_skip;
        entry = entry_of(table, entry->outer);
    }
    return NULL;
}

uint32_t *stacks_life(const struct stack_table *table, uint32_t id)
{
    struct stack_entry *entry = entry_of(table, id);
    return entry != NULL && entry->has_life != 0 ? (uint32_t *)&entry->frames[entry->own_count] : NULL;
}

/* ---- looking ---- */

/* To the one of which the first frame is its own. Everything leads to what is whole. */
static struct stacks_known straighten(const struct stack_table *table, struct stacks_known known)
{
    while (known.id != 0) {
        const struct stack_entry *entry = at(table, known.id);
        if (known.skip < entry->own_count)
            break;
        known.skip = known.skip - entry->own_count + entry->outer_skip;
        known.id = entry->outer;
    }
    return known;
}

/* Whether the frames are those of the entry from `skip` on. */
static bool has_frames(const struct stack_table *table, const struct stack_entry *entry, uint32_t skip, const uint64_t *frames,
                       uint32_t count)
{
    for (;;) {
        uint32_t own = entry->own_count - skip < count ? entry->own_count - skip : count;
        if (memcmp(entry->frames + skip, frames, own * sizeof *frames) != 0)
            return false;
        frames += own;
        count -= own;
        if (count == 0)
            return true;
        skip = entry->outer_skip;
        entry = at(table, entry->outer);
    }
}

/* What is being looked for. */
struct wanted {
    const uint64_t *frames;
    uint32_t frame_count;
    uint32_t hash;
    struct stacks_known known;
};

static inline bool is_wanted(const struct stack_table *table, const struct stack_entry *entry, const struct wanted *wanted)
{
    if (entry->hash != wanted->hash || entry->frame_count != wanted->frame_count)
        return false;
    bool ends_alike = wanted->known.id != 0 && entry->outer == wanted->known.id && entry->own_count == wanted->known.own &&
                      entry->outer_skip == wanted->known.skip;
    return has_frames(table, entry, 0, wanted->frames, ends_alike ? wanted->known.own : wanted->frame_count);
}

static inline uint32_t find_in(const struct stack_table *table, const struct stack_heads *heads, const struct wanted *wanted)
{
    uint32_t id = atomic_load_explicit(&heads->heads[wanted->hash & heads->mask], memory_order_acquire);
    while (id != 0) {
        struct stack_entry *entry = at(table, id);
        if (is_wanted(table, entry, wanted))
            return id;
        id = __atomic_load_n(&entry->next, __ATOMIC_ACQUIRE);
    }
    return 0;
}

/*
 * The one that lies behind the stack that came before, if that is it: one look at memory that is near. What is not written yet reads
 * as zero, up to the end of the chunk.
 */
static inline uint32_t find_behind(const struct stack_table *table, const struct wanted *wanted)
{
    uint32_t before = wanted->known.before;
    if (before == 0)
        return 0;
    const struct stack_entry *entry = at(table, before);
    uint32_t words = words_of(entry);
    const struct stack_entry *behind = (const struct stack_entry *)((const uint64_t *)entry + words);
    bool is_written = before % STACK_CHUNK_WORDS + words <= STACK_CHUNK_WORDS - HEADER_WORDS &&
                      __atomic_load_n(&behind->frame_count, __ATOMIC_ACQUIRE) != 0;
    return is_written && is_wanted(table, behind, wanted) ? before + words : 0;
}

/* ---- adding ---- */

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
    struct stack_entry *stack = at(table, id);
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

static void write_entry(const struct stack_table *table, struct stack_entry *entry, const struct wanted *wanted, uint32_t own)
{
    entry->hash = wanted->hash;
    entry->outer = wanted->known.id;
    entry->outer_skip = (uint8_t)wanted->known.skip;
    entry->own_count = (uint8_t)own;
    entry->has_life = table->has_lives;
    memcpy(entry->frames, wanted->frames, own * sizeof *entry->frames);
    __atomic_store_n(&entry->frame_count, (uint8_t)wanted->frame_count, __ATOMIC_RELEASE);
}

NOINLINE static uint32_t add(struct stack_table *table, const struct wanted *wanted)
{
    struct stack_heads *previous = atomic_load_explicit(&table->previous, memory_order_relaxed);
    if (previous != NULL) {
        uint32_t known = find_in(table, previous, wanted);
        known = known != 0 ? known : find_in(table, atomic_load(&table->heads), wanted);
        if (known != 0)
            return known;
    }
    uint32_t own = wanted->known.id != 0 ? wanted->known.own : wanted->frame_count;
    uint32_t id = reserve(table, HEADER_WORDS + own + table->has_lives);
    if (id == 0) {
        atomic_fetch_add_explicit(&table->lost, 1, memory_order_relaxed);
        return 0;
    }
    write_entry(table, at(table, id), wanted, own);
    struct stack_heads *heads = atomic_load_explicit(&table->heads, memory_order_acquire);
    link_first(table, heads, id);
    if (atomic_fetch_add_explicit(&table->count, 1, memory_order_relaxed) > heads->mask)
        grow(table);
    return id;
}

uint32_t stacks_id(struct stack_table *table, const uint64_t *frames, uint32_t frame_count, uint64_t hash,
                   struct stacks_known known)
{
    if (frame_count == 0)
        return 0;
    struct wanted wanted = {frames, frame_count, (uint32_t)(hash >> 32), straighten(table, known)};
    uint32_t id = find_behind(table, &wanted);
    if (LIKELY(id != 0))
        return id;
    id = find_in(table, atomic_load_explicit(&table->heads, memory_order_acquire), &wanted);
    return LIKELY(id != 0) ? id : add(table, &wanted);
}
