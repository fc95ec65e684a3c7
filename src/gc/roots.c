/*
 * gc/roots: where a program may keep pointers to its blocks, other than in its blocks.
 *
 * One pass over the table of mappings. From each mapping the parts that are ours and the dead parts of stacks are cut
 * out; of what remains, only pages that hold something are read: directly where nothing can go wrong, else as a
 * copy that the kernel makes.
 *
 * Uses os, base, heap. Locks: none; pinned_scan_*() and finalize_scan() rely on those that the caller holds. All other
 * threads are stopped.
 */
#include "gc/roots.h"

#include "base/bits.h"
#include "base/image.h"
#include "gc/crew.h"
#include "gc/finalize.h"
#include "gc/helper.h"
#include "gc/inflight.h"
#include "gc/parts.h"
#include "gc/pinned.h"
#include "gc/pour.h"
#include "gc/pristine.h"
#include "gc/roots_tables.h"
#include "gc/stop.h"
#include "heap/layout.h"
#include "heap/span.h"
#include "heap/unit.h"
#include "os/held.h"
#include "os/maps.h"
#include "os/memory.h"
#include "os/pages.h"
#include "os/peek.h"
#include "os/thread.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    APART_BYTES_MIN = 512 * 1024, /* from here on one more call that asks for less is cheaper */
    TEXT_BYTES = 8192,
    PAGES_BYTES = 12288,
    COPY_BYTES = 65536,
    /*
     * Of a file that is mapped shared and writable, up to this size also pages that are not in our page tables are read.
     * One that is mapped read-only and larger is data to look things up in.
     */
    WHOLE_FILE_BYTES_MAX = 256 << 20,
    /* Of shared memory that may be in swap. */
    SWAPPED_BYTES_MAX = 64 << 20,
    /* Memory between parts of a program's code heap, that was perhaps executable itself a moment ago. */
    CODE_NEIGHBOUR_BYTES_MAX = 64 << 20,
};

struct workspace {
    _Alignas(8) char text[TEXT_BYTES];
    unsigned char pages[PAGES_BYTES];
    unsigned char copy[COPY_BYTES];
};

struct scan {
    struct pour pour;
    struct os_pages pages;
    struct os_peek peek;
    uintptr_t last_address; /* where the highest mapping ends */
    size_t next_skipped;    /* the next mapping that is not looked at */
};

static struct workspace *workspace;
static struct os_maps maps;
static struct parts hidden;     /* by others, in no order */
static struct parts cuts;       /* of this scan, by address */
static struct parts unreadable; /* parts of the heap */
static bool keep_whole_stacks;
static uint8_t habits; /* enum os_map_habit */
static roots_source *source;
static bool are_kernels;

const struct roots_tables roots_tables = {
    .tables_bytes = sizeof roots_tables,
    .workspace_bytes = sizeof *workspace,
    .hidden = &hidden,
    .cuts = &cuts,
    .unreadable = &unreadable,
    .maps = &maps,
    .workspace = (void *const *)&workspace,
    .pinned = &pinned,
    .words = {&ledger_words, &finalize_words},
};

bool roots_are_kernels(void)
{
    return are_kernels;
}

void roots_keep_whole_stacks(void)
{
    keep_whole_stacks = true;
}

/* One in a frame of those that have called lies above the stack pointer; the mappings are looked at for such ones only. */
void roots_stack_made(const void *start)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    struct os_mapping mapping;
    if ((uintptr_t)start > here && !keep_whole_stacks &&
        (os_mapping_find(here, &mapping) != 0 || (uintptr_t)start < mapping.end))
        roots_keep_whole_stacks();
}

int roots_hide(const void *start, size_t size_bytes)
{
    int result = parts_reserve(&hidden, hidden.count + 1);
    image_now->roots = &roots_tables;
    if (result == 0)
        parts_add(&hidden, (uintptr_t)start, (uintptr_t)start + size_bytes);
    return result;
}

void roots_unhide(const void *start)
{
    for (size_t i = 0; i < hidden.count; i++)
        if (hidden.list[i].start == (uintptr_t)start) {
            hidden.list[i] = hidden.list[--hidden.count];
            return;
        }
}

void roots_set_habits(uint8_t seen)
{
    habits = seen;
}

bool roots_hold_distances(void)
{
    uint64_t choice = options_now()->distances;
    return choice == DISTANCES_AUTO ? (habits & OS_MAP_DISTANCES) != 0 : choice == DISTANCES_ALWAYS;
}

bool roots_are_hidden(void)
{
    return (habits & OS_MAP_HIDES) != 0;
}

const struct roots_part *roots_unreadable(size_t *count_out)
{
    *count_out = unreadable.count;
    return unreadable.list;
}

static bool holds_other_pointer(const struct roots_part *part, const struct stopped *stacks, size_t count,
                                size_t own)
{
    for (size_t i = 0; i < count; i++)
        if (i != own && stacks[i].stack_pointer >= part->start && stacks[i].stack_pointer < part->end)
            return true;
    return false;
}

static uintptr_t start_of_main_stack(uintptr_t pointer)
{
    for (size_t i = 0; i < maps.count; i++)
        if (pointer >= maps.entries[i].start && pointer < maps.entries[i].end)
            return maps.entries[i].kind == OS_MAP_STACK ? maps.entries[i].start : 0;
    return 0;
}

static uintptr_t start_of_stack(const struct stopped *stack)
{
    /* In a handler on an alternate stack, which may be an array in a frame of the normal one. */
    if (stack->stack_pointer >= stack->registers_start && stack->stack_pointer < stack->registers_end)
        return 0;
    if (stack->thread_id == image_now->process_id)
        return start_of_main_stack(stack->stack_pointer);
    return stack->stack_pointer >= stack->stack_start && stack->stack_pointer < stack->stack_end ? stack->stack_start : 0;
}

/*
 * What lies below the stack pointer is dead, if the pointer is in the thread's normal stack at all: then that is not
 * suspended, with frames that live, in favour of another one. A part that another thread's stack pointer lies in lives.
 */
static void cut_dead_stacks(const struct stopped *stacks, size_t count)
{
    for (size_t i = 0; i < count && !keep_whole_stacks; i++) {
        struct roots_part dead = {start_of_stack(&stacks[i]), round_down(stacks[i].stack_pointer, 16)};
        if (dead.start != 0 && dead.start < dead.end && !holds_other_pointer(&dead, stacks, count, i))
            parts_add(&cuts, dead.start, dead.end);
    }
}

static void cut_working_area(const void *start, size_t size_bytes)
{
    if (size_bytes != 0)
        parts_add(&cuts, (uintptr_t)start, (uintptr_t)start + size_bytes);
}

static void make_cuts(const struct stopped *stacks, size_t count)
{
    struct layout_area areas[LAYOUT_AREAS];
    size_t area_count = layout_areas(areas);
    cuts.count = 0;
    for (size_t i = 0; i < area_count; i++)
        parts_add(&cuts, areas[i].start, areas[i].end);
    for (size_t i = 0; i < hidden.count; i++)
        parts_add(&cuts, hidden.list[i].start, hidden.list[i].end);
    cut_working_area(workspace, sizeof *workspace);
    cut_working_area(maps.entries, maps.size_bytes);
    cut_working_area(hidden.list, hidden.size_bytes);
    cut_working_area(cuts.list, cuts.size_bytes);
    cut_working_area(unreadable.list, unreadable.size_bytes);
    cut_dead_stacks(stacks, count);
    parts_sort(&cuts);
}

/* Guard pages, and blocks that are free: nobody reads them, so nobody needs to be told. */
static bool is_made_by_us(uintptr_t start, uintptr_t end)
{
    for (; start < end; start = round_down(start, UNIT_BYTES) + UNIT_BYTES) {
        const struct span *span = span_at((const void *)start);
        if (span == NULL || !(span_is_guarded(span) || span->is_trapped))
            return false;
    }
    return true;
}

static void find_unreadable(void)
{
    uintptr_t heap_start = image_now->slots_start;
    size_t units = atomic_load_explicit(&image_now->units_committed, memory_order_relaxed);
    uintptr_t heap_end = heap_start + (units << UNIT_SHIFT);
    unreadable.count = 0;
    for (size_t i = 0; i < maps.count; i++) {
        const struct os_map *map = &maps.entries[i];
        struct roots_part part = {map->start > heap_start ? map->start : heap_start, map->end < heap_end ? map->end : heap_end};
        if (!map->readable && part.start < part.end && !is_made_by_us(part.start, part.end))
            parts_add(&unreadable, part.start, part.end);
    }
}

/*
 * The table of mappings, and room for what is made from it. Getting room changes the mappings, so it is read again
 * until there is enough.
 */
static int prepare(size_t stack_count)
{
    void *area = workspace;
    int result = workspace == NULL ? os_working_area(&area, 0, round_up(sizeof *workspace, os_page_bytes())) : 0;
    if (result != 0)
        return result;
    workspace = area;
    result = parts_reserve(&cuts, LAYOUT_AREAS + hidden.count + 5 + stack_count);
    while (result == 0) {
        result = os_maps_read(&maps, workspace->text, sizeof workspace->text);
        if (result != 0 || parts_room(&unreadable) >= maps.count)
            break;
        result = parts_reserve(&unreadable, maps.count + maps.count / 2);
    }
    roots_set_habits(maps.habits);
    return result;
}

static bool is_code(const struct os_map *map)
{
    return map->executable && map->kind <= OS_MAP_SHARED && map->kind != OS_MAP_FILE;
}

/* Compilers at run time put pointers anywhere into code, and take turns in making it writable and executable. */
static unsigned step_of(size_t index)
{
    const struct os_map *map = &maps.entries[index];
    if (map->executable)
        return 1;
    if (map->end - map->start > CODE_NEIGHBOUR_BYTES_MAX)
        return 4;
    if (index > 0 && map[-1].end == map->start && is_code(&map[-1]))
        return 1;
    return index + 1 < maps.count && map[1].start == map->end && is_code(&map[1]) ? 1 : 4;
}

/* Reads through the kernel. What can't be read at all, nobody has a pointer in. */
static int pour_copy(struct scan *scan, const struct os_page_run *run, unsigned step_bytes, bool forced)
{
    for (uintptr_t from = run->start; from < run->end;) {
        size_t wanted = run->end - from < COPY_BYTES ? run->end - from : COPY_BYTES;
        long count = os_peek(&scan->peek, from, workspace->copy, wanted, forced);
        if (count < 0)
            return (int)count;
        if (count == 0 && forced && run->what & OS_PAGE_PRESENT)
            return -EACCES; /* it is there, and the kernel does not let us */
        if (count > 0)
            pour_bytes(&scan->pour, workspace->copy, (size_t)count, from, step_bytes);
        else
            count = (long)(os_page_bytes() - from % os_page_bytes());
        from += (size_t)count;
    }
    return 0;
}

static int pour_run(struct scan *scan, const struct os_map *map, const struct os_page_run *run, unsigned step_bytes)
{
    if (run->what & OS_PAGE_ZERO)
        return 0;
    bool is_anonymous = map->kind == OS_MAP_PRIVATE || map->kind == OS_MAP_STACK;
    if (map->kind == OS_MAP_FILE && run->what & OS_PAGE_FILE)
        return 0;
    if (!map->readable)
        return pour_copy(scan, run, step_bytes, true);
    if (run->what & OS_PAGE_PRESENT && (is_anonymous || map->kind == OS_MAP_SECRET)) {
        pour_bytes(&scan->pour, (const unsigned char *)run->start, run->end - run->start, run->start, step_bytes);
        return 0;
    }
    return pour_copy(scan, run, step_bytes, false);
}

/*
 * Later, large data mappings may be write-tracked (os/tracking) and what they point to remembered: then a run that was
 * not written since the last scan is left out here.
 */
static int pour_pages(struct scan *scan, const struct os_map *map, const struct roots_part *part, uintptr_t look_to,
                      unsigned step_bytes)
{
    size_t page_bytes = os_page_bytes();
    struct os_page_run run;
    int result;
    if (map->kind == OS_MAP_PRIVATE && part->end - part->start >= APART_BYTES_MIN)
        os_pages_begin_anonymous(&scan->pages, round_down(part->start, page_bytes), round_up(part->end, page_bytes));
    else
        os_pages_begin(&scan->pages, round_down(part->start, page_bytes), round_up(part->end, page_bytes),
                       round_up(look_to, page_bytes));
    bool is_pristine = part->start == map->start && part->end == map->end;
    while ((result = os_pages_next(&scan->pages, &run)) == 1) {
        run.start = run.start < part->start ? part->start : run.start;
        run.end = run.end > part->end ? part->end : run.end;
        is_pristine = is_pristine && run.what & OS_PAGE_FILE;
        result = pour_run(scan, map, &run, step_bytes);
        if (result != 0)
            return result;
    }
    if (result == 0 && is_pristine)
        pristine_note(map);
    return result;
}

/*
 * Memory that others share, or that the child of a fork has not touched yet, is in no page table of ours. Where the
 * machine swaps, parts may not be in memory at all; then all of it is read, or the cycle given up if that is too much.
 */
static int pour_shared(struct scan *scan, const struct os_map *map, const struct roots_part *part, unsigned step_bytes)
{
    struct os_page_run run = {part->start, part->end, OS_PAGE_AWAY};
    int result;
    if (os_pages_swap_in_use())
        return map->end - map->start <= SWAPPED_BYTES_MAX ? pour_copy(scan, &run, step_bytes, !map->readable) : -EBUSY;
    run.end = part->start;
    unsigned char *room = (unsigned char *)workspace->text;
    while ((result = os_pages_next_resident(run.end, part->end, room, sizeof workspace->text, &run)) == 1) {
        result = pour_copy(scan, &run, step_bytes, !map->readable);
        if (result != 0)
            break;
    }
    return result;
}

static int pour_part(struct scan *scan, const struct os_map *map, const struct roots_part *part, uintptr_t look_to,
                     unsigned step_bytes)
{
    switch ((enum os_map_kind)map->kind) {
    case OS_MAP_DEVICE:
        return 0;
    case OS_MAP_RING:
        if (map->readable)
            pour_bytes(&scan->pour, (const unsigned char *)part->start, part->end - part->start, part->start, step_bytes);
        return 0;
    case OS_MAP_SHARED:
        return pour_shared(scan, map, part, step_bytes);
    case OS_MAP_FILE_SHARED:
        if (map->writable && map->end - map->start <= WHOLE_FILE_BYTES_MAX)
            return pour_shared(scan, map, part, step_bytes);
        if (!map->writable && map->end - map->start > WHOLE_FILE_BYTES_MAX)
            return 0;
        break;
    default:
        break;
    }
    return pour_pages(scan, map, part, look_to, step_bytes);
}

static bool is_skipped(const struct os_map *map)
{
    return map->kind == OS_MAP_DEVICE || pristine_is_known(map);
}

/* What comes behind mapping `index` is looked at together with it up to here. */
static uintptr_t look_to(struct scan *scan, size_t index, uintptr_t cut_start)
{
    while (scan->next_skipped <= index || (scan->next_skipped < maps.count && !is_skipped(&maps.entries[scan->next_skipped])))
        scan->next_skipped++;
    uintptr_t skipped = scan->next_skipped < maps.count ? maps.entries[scan->next_skipped].start : scan->last_address;
    return skipped < cut_start ? skipped : cut_start;
}

static int pour_mapping(struct scan *scan, size_t index, size_t *next_cut)
{
    const struct os_map *map = &maps.entries[index];
    unsigned step_bytes = step_of(index);
    struct roots_part part = {.start = map->start};
    int result = 0;
    while (part.start < map->end && result == 0) {
        while (*next_cut < cuts.count && cuts.list[*next_cut].end <= part.start)
            ++*next_cut;
        struct roots_part cut = {scan->last_address, scan->last_address};
        if (*next_cut < cuts.count)
            cut = cuts.list[*next_cut];
        part.end = cut.start < map->end ? cut.start : map->end;
        if (part.start < part.end)
            result = pour_part(scan, map, &part, look_to(scan, index, cut.start), step_bytes);
        part.start = part.end < map->end ? cut.end : map->end;
    }
    return result;
}

static int pour_mappings(struct scan *scan)
{
    size_t next_cut = 0;
    pristine_begin_scan();
    for (size_t i = 0; i < maps.count; i++)
        if (maps.entries[i].kind != OS_MAP_DEVICE)
            scan->last_address = maps.entries[i].end;
    for (size_t i = 0; i < maps.count; i++) {
        int result = is_skipped(&maps.entries[i]) ? 0 : pour_mapping(scan, i, &next_cut);
        if (result != 0)
            return result;
    }
    pour_flush(&scan->pour);
    return 0;
}

/* In the heap, what the program made unreadable; the marker leaves it out. */
static int pour_unreadable(struct scan *scan)
{
    const struct os_map map = {.kind = OS_MAP_PRIVATE};
    for (size_t i = 0; i < unreadable.count; i++) {
        int result = pour_pages(scan, &map, &unreadable.list[i], unreadable.list[i].end, 4);
        if (result != 0)
            return result;
    }
    pour_flush(&scan->pour);
    return 0;
}

static void pour_value(uint64_t value, void *context)
{
    const struct pour *pour = context;
    uintptr_t word = (uintptr_t)value;
    pour->range(&word, &word + 1, sizeof word, pour->context);
}

/* Messages of any length follow one another in a pipe, so an address may begin anywhere. */
static void pour_message(const unsigned char *bytes, size_t size_bytes, bool first, void *context)
{
    struct pour *pour = context;
    size_t padded_bytes = round_up(size_bytes, WORD_BYTES);
    memset(workspace->copy + size_bytes, 0, padded_bytes - size_bytes);
    pour_bytes(pour, bytes, padded_bytes, first ? WORD_BYTES : pour->end, 1);
}

/* Threads in safe regions are still in their calls; the others were called out of them. */
static bool no_pipe_is_locked(void)
{
    const struct stopped *threads = stop_threads();
    for (size_t i = 0; i < stop_count(); i++)
        if (threads[i].is_region && os_held_locks_pipe(threads[i].thread_id))
            return false;
    return true;
}

/* A block may be the alternate stack that they were saved to, which nothing else may lead to. */
static void pour_registers(struct pour *pour, const struct stopped *stack)
{
    uintptr_t start = round_up(stack->registers_start, 4);
    if (start < stack->registers_end)
        pour->range((const void *)start, (const void *)stack->registers_end, 4, pour->context);
    pour_value(stack->registers_start, pour);
}

/* The helper and the crew have tables of descriptors of their own, without the program's. Any of the others has that. 0: the caller's own. */
static int whose_files(const struct stopped *threads, size_t count)
{
    int32_t self = os_thread_id();
    for (size_t i = 0; i < count && self == helper_thread_id; i++)
        if (threads[i].thread_id != self && !crew_has(threads[i].thread_id))
            return threads[i].thread_id;
    return 0;
}

static int pour_all(struct scan *scan, const struct stopped *stacks, size_t count)
{
    /* A running thread's stack may be a block: its stack pointer is what holds that. */
    for (size_t i = 0; i < count; i++) {
        pour_value(stacks[i].stack_pointer, &scan->pour);
        pour_registers(&scan->pour, &stacks[i]);
    }
    pinned_scan_ranges(scan->pour.range, scan->pour.context);
    finalize_scan(scan->pour.range, scan->pour.context);
    inflight_scan(scan->pour.range, scan->pour.context);
    int result = pour_mappings(scan);
    if (result == 0)
        result = pour_unreadable(scan);
    are_kernels = true;
    pinned_scan_pins(scan->pour.range, scan->pour.context);
    const struct os_held_room room = {
        .thread_id = whose_files(stacks, count),
        .text = workspace->text,
        .text_bytes = sizeof workspace->text,
        .copy = workspace->copy,
        .copy_bytes = sizeof workspace->copy - WORD_BYTES,
        .list = workspace->pages,
        .list_bytes = sizeof workspace->pages,
    };
    if (result == 0)
        result = os_held_by_files(pour_value, pour_message, no_pipe_is_locked, &scan->pour, &room);
    pour_flush(&scan->pour);
    if (result == 0)
        result = os_held_by_timers(pour_value, &scan->pour, &room);
    are_kernels = false;
    return result;
}

int roots_scan_stacks(const struct stopped *stacks, size_t count, roots_range *range, void *context)
{
    int result = prepare(count);
    if (result != 0)
        return result;
    make_cuts(stacks, count);
    find_unreadable();
    struct scan scan = {.pour = pour_start(range, context)};
    result = os_pages_open(&scan.pages, workspace->pages, sizeof workspace->pages);
    if (result != 0)
        return result;
    uint32_t keys = os_open_protection_keys();
    result = pour_all(&scan, stacks, count);
    os_restore_protection_keys(keys);
    os_pages_close(&scan.pages);
    os_peek_close(&scan.peek);
    return result;
}

void roots_use_source(roots_source *foreign)
{
    source = foreign;
}

int roots_scan(roots_range *range, void *context)
{
    if (source != NULL)
        return source(range, context);
    return roots_scan_stacks(stop_threads(), stop_count(), range, context);
}
