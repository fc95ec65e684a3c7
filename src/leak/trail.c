/*
 * leak/trail: new frames are put on top of what is left of the last walk.
 *
 * A walk comes from frame to frame by the return address, the stack pointer, and now and then the frame pointer or the base
 * register. The stack pointer at a frame is the place of its return address plus a word, so two walks that meet at the
 * same stack pointer have the same return address. From there on they are the same walk if all words that are loaded
 * further out are as they were, and so are those of the two registers that are used before they are loaded: `needs` of
 * the frame says which. Loaded are return addresses (marks) and, few of them, what needed registers are loaded
 * from, and frame addresses that lie in memory (extras).
 *
 * Our own frames are no entries. They are the same each time, so their return addresses alone tell where the program's
 * first frame is; but not what was in its registers, which seldom matters. If it does, the walk begins anew, with our own.
 *
 * A longjmp() may end the work here at any moment: `top` is set when what lies above is in order.
 *
 * Uses os, heap (metadata). Locks: none.
 */
#include "leak/trail.h"

#include "heap/metadata.h"
#include "leak/rules.h"
#include "leak/stacks.h"
#include "leak/step.h"
#include "leak/unwind.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum {
    NEEDS_FRAME_POINTER = 1,
    NEEDS_BASE = 2,
    NEEDS_BOTH = 3,

    SLACK_FRAMES = 16, /* beyond the limit, so that a deep stack may get less deep for a while */
    EXTRAS_EACH = 3,   /* at most, a frame */
    ADDRESS_MIN = 4096,
    FAILURE = 8, /* one outweighs so many successes */
    FAILURES_MAX = 256,
};

struct trail_mark {
    uintptr_t slot; /* of the return address into the frame, a word below its stack pointer */
    uintptr_t address;
};

struct trail_state {
    uintptr_t frame_pointer;
    uintptr_t base;
    uint64_t hash;  /* of the frames from here out */
    uint64_t needs;
};

struct trail_extra {
    uintptr_t slot;
    uintptr_t value;
    size_t owner; /* the entry that is left by this word */
};

struct trail_fresh {
    struct os_registers at;
    struct rule rule;
};

enum way_end {
    WAY_JOINS,  /* comes to an entry */
    WAY_IS_CUT, /* too long */
    WAY_ENDS,   /* with the outermost frame */
    WAY_IS_ODD, /* depends on more than a trail can hold */
    WAY_IS_LOST, /* needs registers, and began without */
};

/* The frames that are new. */
struct way {
    enum way_end end;
    uint32_t count;
    uint32_t joined;        /* the entry; or capacity */
    struct os_registers at; /* where it has come to */
};

/* What is left out of stacks. */
struct skip {
    uintptr_t start;
    uintptr_t size_bytes;
};

/* ---- memory ---- */

static uint32_t way_max(const struct trail *trail)
{
    return trail->limit + SLACK_FRAMES;
}

static size_t bytes_of(const struct trail *trail)
{
    size_t entry_bytes = sizeof *trail->marks + sizeof *trail->states + sizeof *trail->frames +
                         EXTRAS_EACH * sizeof *trail->extras;
    return sizeof *trail + trail->capacity * entry_bytes + sizeof *trail->extras + way_max(trail) * sizeof *trail->fresh;
}

struct trail *trail_make(uint32_t limit)
{
    struct trail made = {.limit = limit, .factor = 1};
    made.capacity = made.top = way_max(&made) + SLACK_FRAMES;
    for (uint32_t i = 0; i < limit; i++)
        made.factor *= STACK_HASH_FACTOR;
    struct trail *trail = metadata_take(bytes_of(&made));
    if (trail == NULL)
        return NULL;
    made.marks = (struct trail_mark *)(trail + 1);
    made.states = (struct trail_state *)(made.marks + made.capacity);
    made.frames = (uint64_t *)(made.states + made.capacity);
    made.fresh = (struct trail_fresh *)(made.frames + made.capacity);
    made.extras = (struct trail_extra *)(made.fresh + way_max(&made));
    *trail = made;
    return trail;
}

static void clear(struct trail *trail)
{
    trail->top = trail->capacity;
    trail->extra_count = 0;
    trail->id = 0;
    trail->before.id = 0;
    memset(trail->starts, 0, sizeof trail->starts);
}

/* ---- what is unchanged ---- */

static ALWAYS_INLINE bool is_unchanged(const struct trail_mark *mark)
{
    return *(const uintptr_t *)mark->slot == mark->address;
}

static uint32_t check_extras(const struct trail *trail, uint32_t unchanged, uintptr_t stack_pointer)
{
    for (uint32_t i = 0; i < trail->extra_count && trail->extras[i].owner >= unchanged; i++) {
        const struct trail_extra *extra = &trail->extras[i];
        if (extra->slot < stack_pointer || *(const uintptr_t *)extra->slot != extra->value)
            return (uint32_t)extra->owner + 1;
    }
    return unchanged;
}

/* The first entry from which on all is as it was. What lies below the stack pointer has returned, and may not be there any more. */
static ALWAYS_INLINE uint32_t find_unchanged(const struct trail *trail, uintptr_t stack_pointer)
{
    const struct trail_mark *top = &trail->marks[trail->top];
    const struct trail_mark *end = &trail->marks[trail->capacity];
    const struct trail_mark *mark = end;
    while (top != end && UNLIKELY(top->slot < stack_pointer))
        top++;
    while (mark != top && is_unchanged(mark - 1))
        mark--;
    uint32_t unchanged = (uint32_t)(mark - trail->marks);
    return LIKELY(trail->extra_count == 0) ? unchanged : check_extras(trail, unchanged, stack_pointer);
}

/* ---- the way there ---- */

static bool agrees(const struct trail_state *state, const struct os_registers *at)
{
    return ((state->needs & NEEDS_FRAME_POINTER) == 0 || state->frame_pointer == at->frame_pointer) &&
           ((state->needs & NEEDS_BASE) == 0 || state->base == at->base);
}

NOINLINE static enum way_end leave_otherwise(struct os_registers *at, struct rule rule, struct extent *extent)
{
    if (rule_kind(rule) == RULE_SIGNAL)
        return WAY_IS_ODD;
    if (rule_kind(rule) == RULE_STOP)
        return WAY_ENDS;
    if (step_any(at, rule, extent))
        return WAY_JOINS;
    return rule_kind(rule) == RULE_INDIRECT ? WAY_IS_ODD : WAY_ENDS;
}

/* WAY_JOINS so far means that it goes on. */
static ALWAYS_INLINE enum way_end leave(struct os_registers *at, struct rule rule, struct extent *extent)
{
    if (LIKELY(rule_is_simple(rule)))
        return LIKELY(step_simple(at, rule, extent->low, extent->end)) ? WAY_JOINS : WAY_ENDS;
    struct os_registers otherwise = *at; /* of which somebody has the address: *at can stay in registers */
    enum way_end end = leave_otherwise(&otherwise, rule, extent);
    *at = otherwise;
    return end;
}

/* The program's first frame, where a way begins. */
struct origin {
    struct os_registers at;
    bool knows_registers; /* but for the stack pointer, and where to go on */
};

static ALWAYS_INLINE bool needs_nothing(struct rule rule)
{
    return rule_is_simple(rule) || rule_kind(rule) == RULE_STOP;
}

/* Goes from frame to frame, up to the first entry from `unchanged` on that it comes to. */
static struct way find_way(const struct trail *trail, const struct origin *origin, struct extent *extent, uint32_t unchanged,
                           uint32_t now_ms)
{
    struct os_registers at = origin->at;
    bool knows_registers = origin->knows_registers;
    uint32_t count = 0;
    uint32_t entry = unchanged;
    enum way_end end = WAY_JOINS; /* so far: it goes on */
    do {
        uintptr_t slot = at.stack_pointer - STACK_WORD_BYTES;
        while (entry < trail->capacity && trail->marks[entry].slot < slot)
            entry++;
        if (entry < trail->capacity && trail->marks[entry].slot == slot) {
            const struct trail_state *state = &trail->states[entry];
            if (LIKELY(state->needs == 0) || (knows_registers && agrees(state, &at)))
                break;
            if (!knows_registers)
                return (struct way){WAY_IS_LOST, 0, trail->capacity, at};
        }
        if (UNLIKELY(at.program_counter <= ADDRESS_MIN))
            end = WAY_ENDS;
        else if (UNLIKELY(count == way_max(trail)))
            end = knows_registers ? WAY_IS_CUT : WAY_IS_LOST;
        if (end != WAY_JOINS)
            break;
        struct rule rule = rules_find(at.program_counter - 1, now_ms);
        trail->fresh[count++] = (struct trail_fresh){at, rule};
        end = knows_registers || LIKELY(needs_nothing(rule)) ? leave(&at, rule, extent) : WAY_IS_LOST;
    } while (end == WAY_JOINS);
    return (struct way){end, count, end == WAY_JOINS ? entry : trail->capacity, at};
}

/* ---- our own frames ---- */

static ALWAYS_INLINE bool starts_so(const struct trail_start *start, const struct os_registers *from)
{
    if (start->address != from->program_counter)
        return false;
    for (uint32_t i = 0; i < start->count; i++)
        if (*(const uintptr_t *)(from->stack_pointer + start->skipped[i].offset) != start->skipped[i].address)
            return false;
    return true;
}

/* Where the program's first frame is, by what is known of our own: its stack pointer. 0 if nothing fits. */
static ALWAYS_INLINE uintptr_t find_start(const struct trail *trail, const struct os_registers *from)
{
    for (uint32_t i = 0; i < TRAIL_STARTS; i++)
        if (starts_so(&trail->starts[i], from))
            return from->stack_pointer + trail->starts[i].length;
    return 0;
}

/* Leaves our own frames one by one, and keeps the start. */
static enum way_end walk_start(struct trail *trail, const struct os_registers *from, struct extent *extent, struct skip skip,
                               uint32_t now_ms, struct origin *origin_out)
{
    struct trail_start start = {.address = from->program_counter};
    struct os_registers at = *from;
    struct rule rule = rules_find(at.program_counter, now_ms);
    bool is_simple = rule_is_simple(rule);
    enum way_end end = leave(&at, rule, extent);
    while (end == WAY_JOINS && at.program_counter - 1 - skip.start < skip.size_bytes) {
        rule = rules_find(at.program_counter - 1, now_ms);
        is_simple = is_simple && rule_is_simple(rule) && start.count < TRAIL_SKIPPED_MAX;
        if (is_simple) {
            start.skipped[start.count].address = at.program_counter;
            start.skipped[start.count++].offset = at.stack_pointer - STACK_WORD_BYTES - from->stack_pointer;
        }
        end = leave(&at, rule, extent);
    }
    if (end != WAY_JOINS)
        return end;
    start.length = (uint32_t)(at.stack_pointer - from->stack_pointer);
    if (is_simple && find_start(trail, from) == 0)
        trail->starts[trail->start_count++ % TRAIL_STARTS] = start;
    *origin_out = (struct origin){at, true};
    return WAY_JOINS;
}

/* The whole way, or from the program's first frame on if that is known and will do. */
static struct way find_whole_way(struct trail *trail, const struct os_registers *from, struct extent *extent, uint32_t unchanged,
                                 struct skip skip, uint32_t now_ms)
{
    struct origin origin = {.at.stack_pointer = trail->failures < FAILURES_MAX ? find_start(trail, from) : 0};
    if (LIKELY(origin.at.stack_pointer != 0)) {
        origin.at.program_counter = *(const uintptr_t *)(origin.at.stack_pointer - STACK_WORD_BYTES);
        struct way way = find_way(trail, &origin, extent, unchanged, now_ms);
        trail->failures -= trail->failures > 0;
        if (LIKELY(way.end != WAY_IS_LOST))
            return way;
        trail->failures += FAILURE;
    }
    enum way_end end = walk_start(trail, from, extent, skip, now_ms, &origin);
    if (end != WAY_JOINS)
        return (struct way){end, 0, trail->capacity, *from};
    return find_way(trail, &origin, extent, unchanged, now_ms);
}

/* ---- new entries ---- */

static void add_extra(struct trail *trail, uintptr_t slot, uintptr_t value, uint32_t owner)
{
    trail->extras[trail->extra_count++] = (struct trail_extra){slot, value, owner};
}

/* What the way from this frame out needs of its registers. `outer` is what the next frame had, which needed `needs`. */
static uint64_t needs_of(struct trail *trail, const struct trail_fresh *fresh, const struct os_registers *outer,
                         uint64_t needs, uint32_t entry)
{
    struct rule rule = fresh->rule;
    uintptr_t frame = outer->stack_pointer;
    if ((needs & NEEDS_FRAME_POINTER) != 0 && rule_frame_pointer_saved(rule) != SAVED_NOWHERE) {
        uintptr_t slot = step_slot(rule_frame_pointer_saved(rule), frame, fresh->at.frame_pointer);
        add_extra(trail, slot, outer->frame_pointer, entry);
        needs &= ~(uint64_t)NEEDS_FRAME_POINTER;
    }
    if ((needs & NEEDS_BASE) != 0 && rule_base_saved(rule) != SAVED_NOWHERE) {
        add_extra(trail, step_slot(rule_base_saved(rule), frame, fresh->at.frame_pointer), outer->base, entry);
        needs &= ~(uint64_t)NEEDS_BASE;
    }
    if (rule_kind(rule) == RULE_INDIRECT)
        add_extra(trail, step_frame(&fresh->at, rule), frame, entry);
    bool by_frame_pointer = rule_register(rule) == RULE_FRAME_POINTER || rule_frame_pointer_saved(rule) >= SAVED_BY_FRAME ||
                            rule_base_saved(rule) >= SAVED_BY_FRAME;
    needs |= by_frame_pointer ? NEEDS_FRAME_POINTER : 0;
    return rule_register(rule) == RULE_BASE ? needs | NEEDS_BASE : needs;
}

/* A frame that has no caller is left by no word, but for a return address that is none. */
static uint64_t begin_outermost(struct trail *trail, const struct way *way)
{
    trail->extra_count = 0;
    trail->is_complete = way->end == WAY_ENDS;
    if (way->end == WAY_ENDS && way->at.program_counter <= ADDRESS_MIN)
        add_extra(trail, way->at.stack_pointer - STACK_WORD_BYTES, way->at.program_counter, trail->capacity - 1);
    return way->end == WAY_IS_CUT ? NEEDS_BOTH : 0;
}

static uint64_t begin_at_entry(struct trail *trail, uint32_t entry)
{
    while (trail->extra_count > 0 && trail->extras[trail->extra_count - 1].owner < entry)
        trail->extra_count--;
    return trail->states[entry].needs;
}

/* Entries on top of this one are about to go. */
static void keep_before(struct trail *trail, uint32_t entry)
{
    struct trail_before *before = &trail->before;
    if (trail->id != 0)
        *before = (struct trail_before){trail->id, trail->top, trail->count, entry};
    else if (entry > before->same)
        before->same = entry;
    trail->id = 0;
}

/* Entries that are on top of where the way has led to make room for it. */
static void add_way(struct trail *trail, const struct way *way)
{
    uint32_t entry = way->joined;
    bool joins_any = entry < trail->capacity;
    keep_before(trail, entry);
    trail->top = entry;
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t needs = joins_any ? begin_at_entry(trail, entry) : begin_outermost(trail, way);
    uint64_t hash = joins_any ? trail->states[entry].hash : 0;
    const struct os_registers *outer = &way->at;
    for (uint32_t i = way->count; i-- > 0; outer = &trail->fresh[i].at) {
        const struct trail_fresh *fresh = &trail->fresh[i];
        entry--;
        if (UNLIKELY(needs != 0) || !rule_is_simple(fresh->rule))
            needs = needs_of(trail, fresh, outer, needs, entry);
        uint64_t frame = step_frame_word(fresh->at.program_counter - 1, fresh->rule);
        hash = hash * STACK_HASH_FACTOR + frame;
        trail->frames[entry] = frame;
        trail->marks[entry] = (struct trail_mark){fresh->at.stack_pointer - STACK_WORD_BYTES, fresh->at.program_counter};
        trail->states[entry] =
            (struct trail_state){fresh->at.frame_pointer, fresh->at.base, hash, needs};
    }
    atomic_signal_fence(memory_order_seq_cst);
    trail->top = entry;
}

/* Says what the stack is now. */
static void describe(struct trail *trail)
{
    uint32_t top = trail->top;
    uint32_t known = trail->capacity - top;
    trail->stack = trail->frames + top;
    trail->count = known < trail->limit ? known : trail->limit;
    uint64_t hash = known == 0 ? 0 : trail->states[top].hash;
    if (known > trail->limit)
        hash -= trail->states[top + trail->limit].hash * trail->factor;
    trail->hash = stacks_hash_end(hash, trail->count);
}

/* One frame is its own at least, and the stack before has all others from some frame on. */
struct stacks_known trail_known(const struct trail *trail)
{
    const struct trail_before *before = &trail->before;
    uint32_t first = before->same > trail->top ? before->same : trail->top + 1;
    uint32_t own = first - trail->top;
    uint32_t skip = first - before->top;
    bool has_rest = before->id != 0 && own < trail->count && first >= before->top && skip < before->count &&
                    trail->count - own <= before->count - skip;
    return (struct stacks_known){before->id, has_rest ? before->id : 0, own, skip};
}

/* ---- the rest ---- */

/* On stacks the program has made, and through signal frames. */
COLD static void follow_plainly(struct trail *trail, const struct os_registers *from, struct skip skip, uint32_t now_ms)
{
    clear(trail);
    trail->stack = trail->frames;
    trail->count = unwind_stack(from, skip.start, skip.start + skip.size_bytes, trail->frames, trail->limit, now_ms);
    trail->hash = stacks_hash(trail->frames, trail->count);
}

/* The whole way, whatever is known. */
NOINLINE static void follow_anew(struct trail *trail, const struct os_registers *from, struct extent *extent, struct skip skip,
                                 uint32_t now_ms)
{
    clear(trail);
    struct way way = find_whole_way(trail, from, extent, trail->capacity, skip, now_ms);
    if (way.end == WAY_IS_ODD) {
        follow_plainly(trail, from, skip, now_ms);
        return;
    }
    add_way(trail, &way);
    describe(trail);
}

/* Whether the way fits on top of the entry that it joins, if any, and what is known from there is enough. */
static bool fits(const struct trail *trail, const struct way *way)
{
    if (way->end != WAY_JOINS)
        return way->end != WAY_IS_ODD;
    return way->count <= way->joined &&
           (trail->is_complete || trail->capacity - way->joined + way->count >= trail->limit);
}

NOINLINE static void follow(struct trail *trail, const struct os_registers *from, uint32_t unchanged, struct skip skip,
                            uint32_t now_ms)
{
    struct extent extent = extent_from(from->stack_pointer);
    struct way way = find_whole_way(trail, from, &extent, unchanged, skip, now_ms);
    if (UNLIKELY(!fits(trail, &way))) {
        follow_anew(trail, from, &extent, skip, now_ms);
        return;
    }
    add_way(trail, &way);
    describe(trail);
}

/* The first walk on a stack, or with these rules, if it is one that a trail can be of. */
COLD static void follow_first(struct trail *trail, const struct os_registers *from, struct skip skip, uint32_t now_ms)
{
    struct extent extent = extent_from(from->stack_pointer);
    trail->generation = atomic_load_explicit(&rules_generation, memory_order_acquire);
    if (extent.probed != 0) {
        follow_plainly(trail, from, skip, now_ms);
        return;
    }
    trail->end = extent.end;
    follow_anew(trail, from, &extent, skip, now_ms);
}

/* Whether the walk comes to the top entry at once, so that the stack is the same. */
static ALWAYS_INLINE bool is_same(const struct trail *trail, const struct os_registers *from)
{
    return trail->id != 0 && trail->states[trail->top].needs == 0 &&
           find_start(trail, from) - STACK_WORD_BYTES == trail->marks[trail->top].slot;
}

void trail_follow(struct trail *trail, const struct os_registers *from, uintptr_t skip_start, uintptr_t skip_end,
                  uint32_t now_ms)
{
    struct skip skip = {skip_start, skip_end - skip_start};
    uintptr_t stack_pointer = from->stack_pointer;
    struct known_stack known = known_stack;
    if (UNLIKELY(stack_pointer - known.low >= known.end - known.low) || UNLIKELY(trail->end != known.end) ||
        UNLIKELY(trail->generation != atomic_load_explicit(&rules_generation, memory_order_acquire))) {
        follow_first(trail, from, skip, now_ms);
        return;
    }
    uint32_t unchanged = find_unchanged(trail, stack_pointer);
    if (unchanged != trail->top || unchanged == trail->capacity || !is_same(trail, from))
        follow(trail, from, unchanged, skip, now_ms);
}
