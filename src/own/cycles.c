/*
 * own/cycles: objects that only hold each other, found by trial deletion.
 *
 * David F. Bacon, V. T. Rajan: "Concurrent cycle collection in reference counted systems" (2001), the synchronous form, made of
 * three passes over a list instead of recursion. From what lost a reference but not the last, references along declared pointers
 * are taken off; who still has some is held from outside, and what it leads to gets them back; the rest is garbage.
 *
 * A thread looks at objects that it holds and that have no references counted by others: only it changes their `strong`, whose
 * top bits hold the colours meanwhile. Another thread can still get hold of one by a weak reference. So garbage is claimed first, by an
 * exchange that an upgrade either waits for or makes fail; and then the trial goes on without what was upgraded.
 *
 * Uses os, base, heap, gc. Locks: none.
 */
#include "gc/stop.h"

#include "heap/metadata.h"
#include "heap/span.h"
#include "os/maps.h"
#include "os/thread.h"
#include "own/cycles.h"
#include "own/export.h"
#include "own/scan.h"
#include "own/self.h"
#include "own/trial.h"

#include <string.h>

enum { GROUP = 64, THRESHOLD = 10000 };

static struct suspects *own_suspects(void)
{
    struct suspects *set = own_self.suspects;
    if (LIKELY(set != NULL))
        return set;
    set = metadata_take(sizeof *set);
    if (set != NULL) {
        set->threshold = set->limit = THRESHOLD;
        own_self.suspects = set;
        if (!own_self.has_exit)
            own_need_exit();
    }
    return set;
}

static void set_suspect(struct note *note, bool is_one)
{
    note_unset(note, is_one ? HOLDER_WATCHED : HOLDER_SUSPECT);
    note_set(note, is_one ? HOLDER_SUSPECT : HOLDER_WATCHED);
}

/* ---- the passes ---- */

/* The object comes into the trial, but for so many of its references. */
static ALWAYS_INLINE bool visit(struct trial *trial, void *object, const struct seen *seen, uint32_t taken_off)
{
    const gca_type *type = seen_type(trial, object, seen);
    if (!visits_push(&trial->visited, (struct visit){object, seen->note, type}))
        return false;
    trial->has_functions |= type->drop != NULL;
    trial->flags |= atomic_load_explicit(&seen->note->holder, memory_order_relaxed);
    atomic_store_explicit(&seen->note->strong, (strong_of(seen->note) - taken_off) | (uint32_t)GREY << COLOUR_SHIFT, memory_order_relaxed);
    return true;
}

/* What there is no memory for is not visited, and keeps the reference that was not taken off: it is held from outside. */
static ALWAYS_INLINE void take_off(struct trial *trial, const void *object, const gca_type *type)
{
    for (uint32_t i = 0; i < type->pointer_count; i++) {
        void *held = held_by(object, type, i);
        struct seen seen;
        if (held == NULL)
            continue;
        if (!see_candidate(held, &seen))
            trial->has_others = true;
        else if (colour_of(seen.note) != 0)
            add(seen.note, (uint32_t)-1);
        else if (!visit(trial, held, &seen, 1))
            trial->has_others = true;
    }
}

static void blacken(struct trial *trial, void *object, struct note *note)
{
    if (colour_of(note) != GREY)
        return;
    set_colour(note, BLACK);
    trial->has_black = true;
    pile_push(&trial->black, object); /* there is room for all, or each is followed at once: see run_trial() */
}

/* The object is held, so is what it leads to. */
static void give_back(struct trial *trial, const void *object)
{
    const gca_type *type = type_of(object);
    for (uint32_t i = 0; i < type->pointer_count; i++) {
        void *held = held_by(object, type, i);
        struct note *note = held != NULL ? candidate(held) : NULL;
        if (note == NULL || colour_of(note) == 0)
            continue;
        add(note, 1);
        blacken(trial, held, note);
    }
}

static void follow_black(struct trial *trial)
{
    while (trial->black.count != 0)
        give_back(trial, trial->black.items[--trial->black.count]);
}

static bool is_held(const struct note *note)
{
    return (strong_of(note) & COUNT_MASK) != 0 || others_of(note) != 0;
}

static bool is_borrowed(const struct note *note)
{
    return (atomic_load_explicit(&note->word, memory_order_relaxed) & NOTE_BORROWS) != 0;
}

static void hold_for_now(struct trial *trial, void *object, struct note *note)
{
    trial->set->stats.held++;
    pile_push(&trial->again, object);
    blacken(trial, object, note);
}

/* ---- the stack ---- */

/* What the address lies in, if that may be an object; NULL otherwise. */
static void *object_around(const void *address)
{
    struct block block;
    if (!heap_contains(address))
        return NULL;
    const struct unit *unit = unit_at(address);
    if (LIKELY(unit->kind == UNIT_SPAN))
        return (void *)(unit->start + unit_slot_position(unit, address).index * unit->slot_bytes);
    return lookup_block(address, &block) ? (void *)block.start : NULL;
}

static void hold_word(struct trial *trial, uintptr_t word)
{
    void *object = object_around((const void *)word);
    struct note *note = object != NULL ? candidate(object) : NULL;
    if (note != NULL && colour_of(note) == GREY)
        hold_for_now(trial, object, note);
}

/* All words of the program's part of the stack, the saved registers among them; that is no array, to no compiler. */
__attribute__((no_sanitize_address)) static void look_at_stack(struct trial *trial)
{
    for (uintptr_t at = trial->stack_from; at < trial->set->stack_end; at += sizeof(uintptr_t))
        hold_word(trial, *(const volatile uintptr_t *)at);
}

/* Where the stack that we are on ends: asked of the kernel when it is another than before. False if that is not known. */
static bool find_stack(struct suspects *set)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (here >= set->stack_start && here < set->stack_end)
        return true;
    struct os_mapping mapping;
    if (os_mapping_find(here, &mapping) != 0)
        return false;
    set->stack_start = mapping.start;
    set->stack_end = mapping.end;
    return true;
}

/* ---- everywhere else ---- */

static bool is_reference(const struct scan_place *place)
{
    const gca_type *type = type_of(place->holder);
    for (uint32_t i = 0; i < type->pointer_count; i++)
        if (type->pointers[i] == place->offset)
            return true;
    return false;
}

/* A word that garbage has is none, nor one on our own stack, which was looked at. A reference of what lives has been given back. */
static bool is_raw(const struct trial *trial, const struct scan_place *place)
{
    uintptr_t at = (uintptr_t)place->holder;
    if (place->where == SCAN_STACK || place->where == SCAN_ROOT)
        return at < trial->set->stack_start || at >= trial->set->stack_end;
    struct note *holder = place->where == SCAN_BLOCK ? candidate(place->holder) : NULL;
    return holder == NULL || colour_of(holder) == 0 || (colour_of(holder) != GREY && !is_reference(place));
}

/* All other threads stand still, and all locks are held. */
static void note_pointed(const struct scan_place *place, uintptr_t value, void *context)
{
    struct trial *trial = context;
    void *object = object_around((const void *)value);
    struct note *note = object != NULL ? candidate(object) : NULL;
    if (note != NULL && colour_of(note) == GREY && is_raw(trial, place)) {
        set_colour(note, POINTED);
        trial->pointed++;
    }
}

/*
 * With the option check: also a pointer that no reference is counted for, in other threads' stacks, in static data, in any block, holds what
 * would be garbage. What is held so may have such pointers itself, so it is looked for until no more is found.
 */
COLD static void look_everywhere(struct trial *trial)
{
    struct scan scan = {.found = note_pointed, .context = trial, .low = heap_layout.slots_start};
    do {
        trial->pointed = 0;
        scan.high = scan.low + atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
        if (scan_all(&scan) != 0)
            return;
        for (size_t i = 0; i < trial->visited.count && trial->pointed != 0; i++) {
            struct visit *visit = &trial->visited.items[i];
            if (colour_of(visit->note) != POINTED)
                continue;
            set_colour(visit->note, GREY);
            hold_for_now(trial, visit->object, visit->note);
        }
        follow_black(trial);
    } while (trial->pointed != 0);
}

static bool has_grey(const struct trial *trial)
{
    for (size_t i = 0; i < trial->visited.count; i++)
        if (colour_of(trial->visited.items[i].note) == GREY)
            return true;
    return false;
}

/* ---- garbage ---- */

/* What nobody has a weak reference to nobody can upgrade: then this is the only thread that changes the note. */
static bool claim(struct note *note)
{
    int32_t none = 0;
    if (!note_has(note, HOLDER_NUMBERED)) {
        if (others_of(note) == 0)
            atomic_store_explicit(&note->others, OTHERS_CLAIMED, memory_order_relaxed);
        return others_of(note) == OTHERS_CLAIMED;
    }
    return atomic_compare_exchange_strong_explicit(&note->others, &none, OTHERS_CLAIMED, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

/* Claims all that is grey. False when one of them was upgraded meanwhile: then it is black, and nothing is claimed. */
static bool claim_all(struct trial *trial)
{
    size_t i;
    struct note *lost = NULL;
    for (i = 0; i < trial->visited.count && lost == NULL; i++) {
        struct note *note = trial->visited.items[i].note;
        if (colour_of(note) == GREY && !claim(note))
            lost = note;
    }
    if (lost == NULL)
        return true;
    void *object = trial->visited.items[i - 1].object;
    for (size_t j = 0; j + 1 < i; j++) {
        struct note *note = trial->visited.items[j].note;
        if (colour_of(note) == GREY)
            atomic_fetch_and_explicit(&note->others, ~OTHERS_CLAIMED, memory_order_release);
    }
    blacken(trial, object, lost);
    follow_black(trial);
    return false;
}

/* References that garbage has to what lives: it will release them as any object does. */
static void give_back_to_black(const struct trial *trial)
{
    for (size_t i = 0; i < trial->visited.count && trial->has_black; i++) {
        const struct visit *visit = &trial->visited.items[i];
        if (colour_of(visit->note) != GREY)
            continue;
        for (uint32_t j = 0; j < visit->type->pointer_count; j++) {
            void *held = held_by(visit->object, visit->type, j);
            struct note *note = held != NULL ? candidate(held) : NULL;
            if (note != NULL && colour_of(note) == BLACK)
                add(note, 1);
        }
    }
}

/* The visited list becomes that of the garbage; what lives is as it was. */
static void keep_garbage(struct trial *trial)
{
    size_t count = 0;
    for (size_t i = 0; i < trial->visited.count; i++) {
        void *object = trial->visited.items[i].object;
        struct note *note = trial->visited.items[i].note;
        if (colour_of(note) != GREY) {
            set_colour(note, 0);
            continue;
        }
        if (note_has(note, HOLDER_SUSPECT))
            cycles_forget(object, note);
        atomic_store_explicit(&note->strong, 0, memory_order_relaxed);
        atomic_store_explicit(&note->others, OTHERS_MERGED, memory_order_release);
        uint32_t holder = atomic_load_explicit(&note->holder, memory_order_relaxed);
        atomic_store_explicit(&note->holder, holder | HOLDER_DYING, memory_order_relaxed); /* nobody else has it any more */
        trial->visited.items[count++] = trial->visited.items[i];
    }
    trial->visited.count = count;
}

static bool is_dying(const void *object)
{
    struct note *note = own_note(object);
    return note != NULL && note_has(note, HOLDER_DYING);
}

/* What the pointers of garbage hold besides other garbage. */
static void give_up_others(const struct visit *visit)
{
    for (uint32_t i = 0; i < visit->type->pointer_count; i++) {
        void *held = held_by(visit->object, visit->type, i);
        if (held != NULL && !is_dying(held))
            own_give_up(held);
    }
}

/* All functions of the program's run while all of the garbage is still there. */
static void drop_garbage(struct trial *trial)
{
    bool only_each_other = !trial->has_black && !trial->has_others && !trial->has_functions;
    own_self.drops++;
    for (size_t i = 0; i < trial->visited.count; i++) {
        const struct visit *visit = &trial->visited.items[i];
        if (visit->type->drop != NULL) {
            own_self.is_in_function = true;
            visit->type->drop(visit->object);
            own_self.is_in_function = false;
        }
    }
    for (size_t i = 0; i < trial->visited.count; i++) {
        const struct visit *visit = &trial->visited.items[i];
        if (note_has(visit->note, HOLDER_EDGES))
            edges_end(visit->object, &own_self.ending);
        if (!only_each_other)
            give_up_others(visit);
    }
    own_self.drops--;
    for (size_t i = 0; i < trial->visited.count; i++)
        own_free(trial->visited.items[i].object);
    own_end_waiting();
}

/* Garbage that holds nothing but itself, and whose end nobody is told of: it goes without further passes. */
static bool is_simple(const struct trial *trial)
{
    return !trial->has_black && !trial->has_others && !trial->has_functions &&
           (trial->flags & (HOLDER_NUMBERED | HOLDER_EDGES | HOLDER_SUSPECT)) == 0;
}

static void free_simple(const struct trial *trial)
{
    for (size_t i = 0; i < trial->visited.count; i++) {
        const struct visit *visit = &trial->visited.items[i];
        atomic_store_explicit(&visit->note->strong, 0, memory_order_relaxed);
        own_free(visit->object);
    }
}

/* What is still grey is garbage. Returns how many objects that were. */
static size_t end_garbage(struct trial *trial)
{
    if (is_simple(trial)) {
        free_simple(trial);
        return trial->visited.count;
    }
    while (!claim_all(trial))
        continue;
    give_back_to_black(trial);
    keep_garbage(trial);
    size_t freed = trial->visited.count;
    drop_garbage(trial);
    return freed;
}

/* ---- a run ---- */

/* One round, from some suspects, to their end. */
static size_t run_trial(struct trial *trial)
{
    for (size_t i = 0; i < trial->visited.count; i++)
        take_off(trial, trial->visited.items[i].object, trial->visited.items[i].type);
    trial->set->stats.visited += trial->visited.count;
    while (trial->black.room < trial->visited.count) /* room for all, before anything must not fail */
        if (!pile_grow(&trial->black))
            break;
    bool can_know = trial->black.room >= trial->visited.count && find_stack(trial->set);
    for (size_t i = 0; i < trial->visited.count; i++) {
        void *object = trial->visited.items[i].object;
        struct note *note = trial->visited.items[i].note;
        if (!can_know || is_held(note))
            blacken(trial, object, note);
        else if (is_borrowed(note) && colour_of(note) == GREY)
            hold_for_now(trial, object, note);
        if (!can_know)
            follow_black(trial);
    }
    if (can_know)
        look_at_stack(trial);
    follow_black(trial);
    if (UNLIKELY(gca_checks != 0) && has_grey(trial))
        look_everywhere(trial);
    return end_garbage(trial);
}

static size_t run_group(struct trial *trial, size_t limit)
{
    struct suspects *set = trial->set;
    trial->visited.count = 0;
    trial->has_black = trial->has_others = trial->has_functions = false;
    trial->flags = 0;
    struct seen seen;
    void *object;
    for (size_t i = 0; i < limit && (object = suspects_take(set)) != NULL; i++) {
        set_suspect(own_note(object), false);
        set->stats.suspects++;
        if (see_candidate(object, &seen) && colour_of(seen.note) == 0)
            visit(trial, object, &seen, 0);
    }
    return run_trial(trial);
}

/* What was held for now is suspected still. */
static void suspect_again(const struct trial *trial)
{
    for (size_t i = 0; i < trial->again.count; i++) {
        struct note *note = candidate(trial->again.items[i]);
        if (note != NULL && strong_of(note) != 0 && !note_has(note, HOLDER_SUSPECT) &&
            suspects_add(trial->set, trial->again.items[i]))
            set_suspect(note, true);
    }
}

static void note_run(struct suspects *set, uint64_t start_ns, size_t freed)
{
    uint64_t ns = os_clock_ns() - start_ns;
    set->stats.runs++;
    set->stats.freed += freed;
    set->stats.ns_total += ns;
    set->stats.ns_max = ns > set->stats.ns_max ? ns : set->stats.ns_max;
}

/* What a trial works with is kept for the next one, unless it has become large. */
static void keep_room(struct suspects *set, struct trial *trial)
{
    enum { KEPT = 2048 };
    pile_free(&trial->again);
    if (trial->visited.room > KEPT)
        visits_free(&trial->visited);
    if (trial->black.room > KEPT)
        pile_free(&trial->black);
    set->visited = trial->visited;
    set->black = trial->black;
    set->visited.count = set->black.count = 0;
}

static size_t run_here(struct suspects *set, uint64_t budget_ns, uintptr_t stack_from)
{
    struct trial trial = {.set = set, .budget_ns = budget_ns, .stack_from = stack_from, .visited = set->visited, .black = set->black};
    uint64_t start_ns = os_clock_ns();
    uint64_t visited_before = set->stats.visited;
    set->is_running = true;
    do
        trial.freed += run_group(&trial, budget_ns == 0 ? SIZE_MAX : GROUP);
    while (set->count != 0 && (budget_ns == 0 || os_clock_ns() - start_ns < budget_ns));
    suspect_again(&trial);
    note_run(set, start_ns, trial.freed);
    /* Who has much that lives looks at it less often. */
    uint64_t alive = set->stats.visited - visited_before - trial.freed;
    set->limit = alive / 2 > set->threshold ? alive / 2 : set->threshold;
    keep_room(set, &trial);
    set->is_running = false;
    return trial.freed;
}

struct request {
    struct suspects *set;
    uint64_t budget_ns;
    size_t freed;
};

static void run_spilled(void *context)
{
    struct request *request = context;
    uintptr_t stack_from = (uintptr_t)__builtin_frame_address(0) & ~(sizeof(uintptr_t) - 1);
    request->freed = run_here(request->set, request->budget_ns, stack_from);
}

/*
 * Gaps in the frames between the program's and the trial's hold what former calls left there, mostly addresses of the very objects
 * in question: garbage would be held until the next run.
 */
NOINLINE static void clear_stack_below(void)
{
    uintptr_t dead[64];
    __builtin_memset(dead, 0, sizeof dead);
    HOLD(dead);
}

static size_t run(struct suspects *set, uint64_t budget_ns)
{
    struct request request = {set, budget_ns, 0};
    clear_stack_below();
    stop_spill(run_spilled, &request);
    return request.freed;
}

void cycles_suspect(void *object, struct note *note)
{
    struct suspects *set = own_suspects();
    if (set == NULL || !suspects_add(set, object))
        return;
    set_suspect(note, true);
    if (UNLIKELY(set->count >= set->limit) && set->threshold != 0 && !set->is_running && own_self.drops == 0)
        run(set, 0);
}

void cycles_forget(void *object, struct note *note)
{
    if (own_self.suspects != NULL)
        suspects_remove(own_self.suspects, object);
    set_suspect(note, false);
}

/* Its objects are nobody's to look at afterwards. */
void cycles_thread_exit(void)
{
    struct suspects *set = own_self.suspects;
    if (set == NULL)
        return;
    if (set->count != 0)
        run(set, 0);
    own_self.suspects = NULL;
    visits_free(&set->visited);
    pile_free(&set->black);
    suspects_free(set);
    metadata_put(set, sizeof *set);
}

size_t cycles_run(uint64_t budget_ns)
{
    struct suspects *set = own_self.suspects;
    return set == NULL || set->is_running || own_self.drops != 0 || set->count == 0 ? 0 : run(set, budget_ns);
}

EXPORT size_t gca_cycles(uint64_t budget_ns)
{
    merge_own();
    return cycles_run(budget_ns);
}

EXPORT void gca_cycles_threshold(size_t suspects)
{
    struct suspects *set = own_suspects();
    if (set != NULL)
        set->threshold = set->limit = suspects;
}

EXPORT void gca_cycles_get_stats(gca_cycle_stats *stats_out)
{
    const struct suspects *set = own_self.suspects;
    *stats_out = set != NULL ? set->stats : (gca_cycle_stats){0};
    stats_out->waiting = set != NULL ? set->count : 0;
}
