/*
 * tools/examine: makes the library's own code work on a snapshot.
 *
 * The roots are the same as gc/roots finds in its own process: every piece of memory without the dead parts of stacks and
 * what the collector keeps for itself, all registers, and what the kernel holds.
 */
#include "tools/examine.h"

#include "base/bits.h"
#include "gc/pour.h"
#include "gc/roots_tables.h"
#include "heap/layout.h"
#include "heap/span.h"
#include "os/maps.h"
#include "tools/image_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RED_ZONE_BYTES = 128,
    PINS_MAX = 1 << 24,
    HIDDEN_MAX = 1 << 16,
    CONTROL_BLOCK_BYTES = 4096, /* of a thread, from its thread pointer on */
};

static struct {
    struct snapshot *snapshot;
    struct roots_part *cuts; /* by address */
    size_t cut_count;
    struct roots_part *dead; /* the parts of stacks among them */
    size_t dead_count;
    struct roots_part *ended; /* control blocks of threads that have ended */
    size_t ended_count;
    struct pin *pins;
    size_t pin_count;
    struct roots_part *ranges; /* that the program has added */
    size_t range_count;
    struct roots_part words[ROOTS_WORDS_COUNT]; /* tables of the collector's that are roots */
    const struct snapshot_piece *piece; /* being fed */
    struct root_place place;
} now;

/* ---- what is left out ---- */

static int add_part(struct roots_part **list, size_t *count, uintptr_t start, uintptr_t end)
{
    if (start >= end)
        return 0;
    if ((*count & (*count + 1)) == 0) {
        struct roots_part *larger = realloc(*list, (2 * *count + 1) * sizeof *larger);
        if (larger == NULL)
            return -ENOMEM;
        *list = larger;
    }
    (*list)[(*count)++] = (struct roots_part){start, end};
    return 0;
}

static int cut(uintptr_t start, uintptr_t end)
{
    return add_part(&now.cuts, &now.cut_count, start, end);
}

static int read_there(uintptr_t address, void *bytes_out, size_t size_bytes)
{
    return address == 0 ? -EFAULT : snapshot_read(now.snapshot, address, bytes_out, size_bytes);
}

static int cut_parts(const struct parts *there)
{
    struct parts parts;
    if (read_there((uintptr_t)there, &parts, sizeof parts) != 0 || parts.count > HIDDEN_MAX)
        return 0;
    return cut((uintptr_t)parts.list, (uintptr_t)parts.list + parts.size_bytes);
}

/* The collector's own memory is full of addresses of blocks that are gone. */
static int cut_hidden(const struct roots_tables *tables)
{
    struct parts hidden;
    struct os_maps maps;
    void *workspace;
    int result = 0;
    if (read_there((uintptr_t)tables->hidden, &hidden, sizeof hidden) == 0 && hidden.count <= HIDDEN_MAX)
        for (size_t i = 0; i < hidden.count && result == 0; i++) {
            struct roots_part part;
            if (read_there((uintptr_t)&hidden.list[i], &part, sizeof part) == 0)
                result = cut(part.start, part.end);
        }
    if (read_there((uintptr_t)tables->maps, &maps, sizeof maps) == 0 && result == 0)
        result = cut((uintptr_t)maps.entries, (uintptr_t)maps.entries + maps.size_bytes);
    if (read_there((uintptr_t)tables->workspace, &workspace, sizeof workspace) == 0 && workspace != NULL && result == 0)
        result = cut((uintptr_t)workspace, (uintptr_t)workspace + tables->workspace_bytes);
    if (result == 0)
        result = cut_parts(tables->hidden);
    if (result == 0)
        result = cut_parts(tables->cuts);
    return result == 0 ? cut_parts(tables->unreadable) : result;
}

/* ---- what the program has added ---- */

static bool in_metadata(const void *start, size_t size_bytes)
{
    const struct image *header = &now.snapshot->heap.header;
    size_t offset = (uintptr_t)start - header->metadata_start, used = atomic_load(&header->metadata_used_bytes);
    return offset < used && size_bytes <= used - offset && (uintptr_t)start % sizeof(uintptr_t) == 0;
}

static void note_pinned(const struct roots_tables *tables)
{
    struct pinned pinned;
    if (read_there((uintptr_t)tables->pinned, &pinned, sizeof pinned) != 0)
        return;
    if (pinned.pin_room <= PINS_MAX && in_metadata(pinned.pins, pinned.pin_room * sizeof *pinned.pins)) {
        now.pins = pinned.pins;
        now.pin_count = pinned.pin_room;
    }
    if (pinned.range_count <= PINS_MAX && in_metadata(pinned.ranges, pinned.range_count * sizeof *pinned.ranges)) {
        now.ranges = pinned.ranges;
        now.range_count = pinned.range_count;
    }
}

static void note_words(const struct roots_tables *tables)
{
    for (size_t i = 0; i < ROOTS_WORDS_COUNT; i++) {
        struct roots_words words;
        const void *start;
        size_t count;
        if (read_there((uintptr_t)tables->words[i], &words, sizeof words) == 0 &&
            read_there((uintptr_t)words.start, &start, sizeof start) == 0 &&
            read_there((uintptr_t)words.count, &count, sizeof count) == 0 && count <= PINS_MAX &&
            words.entry_bytes <= PINS_MAX && count * words.entry_bytes != 0 &&
            in_metadata(start, count * words.entry_bytes))
            now.words[i] = (struct roots_part){(uintptr_t)start, (uintptr_t)start + count * words.entry_bytes};
    }
}

static int read_roots_tables(const void *there)
{
    struct roots_tables tables;
    if (read_there((uintptr_t)there, &tables, sizeof tables) != 0 || tables.tables_bytes != sizeof tables)
        return 0;
    note_pinned(&tables);
    note_words(&tables);
    return cut_hidden(&tables);
}

/* ---- stacks ---- */

/* Where in the mapping another thread has its stack or its control block, below this thread's stack pointer. */
static uintptr_t end_of_others(size_t own, uintptr_t start, uintptr_t pointer)
{
    const struct snapshot *snapshot = now.snapshot;
    uintptr_t end = start;
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        const struct snapshot_thread *other = &snapshot->threads[i];
        uintptr_t control = other->thread_pointer;
        if (i == own)
            continue;
        if (other->stack_pointer >= end && other->stack_pointer < pointer)
            return pointer; /* it is on this one's stack, or below it in one that no bounds are known of */
        if (control >= end && control < pointer)
            end = control + CONTROL_BLOCK_BYTES;
    }
    return end;
}

/*
 * What lies below a stack pointer is dead if it is known to be of that thread's normal stack: the mapping that the
 * kernel calls so, or one with the thread's own control block above the pointer. All of any other stack counts, be it a
 * coroutine's or that of a handler.
 */
static int cut_dead_stack(size_t index)
{
    const struct snapshot *snapshot = now.snapshot;
    const struct snapshot_thread *thread = &snapshot->threads[index];
    const struct target_map *map = target_maps_at(&snapshot->maps, thread->stack_pointer);
    if (map == NULL || heap_copy_owns(&snapshot->heap, thread->stack_pointer))
        return 0;
    bool is_normal = map->kind == OS_MAP_STACK ||
                     (thread->thread_pointer > thread->stack_pointer && thread->thread_pointer < map->end);
    if (!is_normal)
        return 0;
    uintptr_t start = end_of_others(index, map->start, thread->stack_pointer);
    uintptr_t end = round_down(thread->stack_pointer - RED_ZONE_BYTES, 16);
    if (start >= end)
        return 0;
    int result = add_part(&now.dead, &now.dead_count, start, end);
    return result == 0 ? cut(start, end) : result;
}

bool examine_is_dead(uintptr_t address)
{
    for (size_t i = 0; i < now.dead_count; i++)
        if (address >= now.dead[i].start && address < now.dead[i].end)
            return true;
    return false;
}

/*
 * libc keeps stacks of threads that have ended, as they were, for threads to come: full of addresses that nobody has any
 * more. Such a one ends with a thread's control block, which begins with its own address, twice, and is no living
 * thread's. The block itself stays: what the thread returned stands there until somebody has joined it.
 */
static int cut_ended_stack(size_t index)
{
    enum { CONTROL_ALIGNMENT = 64, SEARCHED_BYTES = 16384 };
    const struct snapshot *snapshot = now.snapshot;
    const struct target_map *map = &snapshot->maps.entries[index];
    if (map->kind != OS_MAP_PRIVATE || !map->writable || map->end - map->start < SEARCHED_BYTES ||
        heap_copy_owns(&snapshot->heap, map->start))
        return 0;
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        const struct snapshot_thread *thread = &snapshot->threads[i];
        if ((thread->stack_pointer >= map->start && thread->stack_pointer < map->end) ||
            (thread->thread_pointer >= map->start && thread->thread_pointer < map->end))
            return 0;
    }
    for (uintptr_t at = map->end - CONTROL_ALIGNMENT; at >= map->end - SEARCHED_BYTES; at -= CONTROL_ALIGNMENT) {
        uintptr_t words[3];
        if (snapshot_read(snapshot, at, words, sizeof words) != 0 || words[0] != at || words[2] != at)
            continue;
        int result = add_part(&now.ended, &now.ended_count, at, at + CONTROL_ALIGNMENT);
        return result == 0 ? cut(map->start, at) : result;
    }
    return 0;
}

/* ---- the library's own variables ---- */

static bool is_library(const char *name)
{
    static const char library[] = "libgcalloc.so";
    const char *file = strrchr(name, '/');
    return file != NULL && strncmp(file + 1, library, sizeof library - 1) == 0;
}

/* They hold addresses of the heap, where its first block lies for one, and none that the program has given. */
static int cut_library(void)
{
    const struct target_maps *maps = &now.snapshot->maps;
    const struct target_map *first = target_maps_at(maps, now.snapshot->target.library_start);
    int result = 0;
    for (size_t i = 0; i < maps->count && result == 0; i++) {
        const struct target_map *map = &maps->entries[i];
        bool is_own = first != NULL ? strcmp(map->name, first->name) == 0 && map->name[0] != '\0' : is_library(map->name);
        if (!is_own)
            continue;
        result = cut(map->start, map->end);
        /* What is zero at first lies behind, in a mapping without a name. */
        if (i + 1 < maps->count && map[1].start == map->end && map[1].kind == OS_MAP_PRIVATE && map[1].name[0] == '\0' &&
            result == 0)
            result = cut(map[1].start, map[1].end);
    }
    return result;
}

/* ---- feeding ---- */

struct root_place examine_place(const void *start)
{
    struct root_place place = now.place;
    if (place.kind != ROOT_MEMORY || now.piece == NULL)
        return place;
    size_t offset = (size_t)((const unsigned char *)start - now.piece->bytes);
    if (offset < now.piece->size_bytes)
        place.address = now.piece->address + offset;
    else /* on the border of two pieces, or mangled by setjmp() */
        place = (struct root_place){.kind = ROOT_MANGLED, .address = now.piece->address};
    return place;
}

static void feed_piece(struct pour *pour, const struct snapshot_piece *piece, size_t *next_cut)
{
    uintptr_t at = piece->address, end = piece->address + piece->size_bytes;
    unsigned step_bytes = target_maps_step(&now.snapshot->maps, piece->map);
    now.piece = piece;
    while (at < end) {
        while (*next_cut < now.cut_count && now.cuts[*next_cut].end <= at)
            ++*next_cut;
        struct roots_part gap = *next_cut < now.cut_count ? now.cuts[*next_cut] : (struct roots_part){end, end};
        uintptr_t stop = gap.start < end ? gap.start : end;
        stop = round_down(stop, sizeof(uint32_t));
        if (at < stop)
            pour_bytes(pour, piece->bytes + (at - piece->address), stop - at, at, step_bytes);
        if (gap.start >= end)
            break;
        at = round_up(gap.end > at ? gap.end : at + 1, sizeof(uint32_t));
    }
}

static void feed_memory(roots_range *range, void *context)
{
    struct pour pour = pour_start(range, context);
    pour.guard = now.snapshot->guard;
    size_t next_cut = 0;
    now.place = (struct root_place){.kind = ROOT_MEMORY};
    for (size_t i = 0; i < now.snapshot->piece_count; i++)
        feed_piece(&pour, &now.snapshot->pieces[i], &next_cut);
    pour_flush(&pour);
    now.piece = NULL;
}

static void feed_value(uint64_t value, roots_range *range, void *context)
{
    range(&value, &value + 1, sizeof value, context);
}

/* Sets lie anywhere in a core file. */
static void feed_set(const unsigned char *bytes, size_t size_bytes, roots_range *range, void *context)
{
    uint64_t copy[64];
    while (size_bytes > 0) {
        size_t part = size_bytes < sizeof copy ? size_bytes : sizeof copy;
        memset(copy, 0, sizeof copy);
        memcpy(copy, bytes, part);
        range(copy, copy + sizeof copy / sizeof copy[0], 4, context);
        bytes += part;
        size_bytes -= part;
    }
}

/*
 * A thread that is inside realloc() may have a large block's address only by way of the block's record, which lies in the
 * metadata: what its registers and the end of its stack say of such records counts, too.
 */
static void feed_record(uintptr_t word, roots_range *range, void *context)
{
    if (!in_metadata((const void *)word, sizeof(struct span)))
        return;
    const struct span *span = (const struct span *)word;
    size_t unit = span->first_unit;
    if (unit >= atomic_load(&image_now->units_used) || heap_layout.units[unit].span != span ||
        heap_layout.units[unit].kind != UNIT_LARGE)
        return;
    feed_value(span->start, range, context);
}

static void feed_records(const struct snapshot_thread *thread, roots_range *range, void *context)
{
    enum { STACK_WORDS = 256 };
    uintptr_t words[STACK_WORDS];
    for (size_t i = 0; i < sizeof thread->registers / sizeof words[0]; i++) {
        memcpy(words, (const char *)&thread->registers + i * sizeof words[0], sizeof words[0]);
        feed_record(words[0], range, context);
    }
    size_t count = STACK_WORDS;
    while (count > 0 && snapshot_read(now.snapshot, thread->stack_pointer, words, count * sizeof words[0]) != 0)
        count /= 2;
    for (size_t i = 0; i < count; i++)
        feed_record(words[i], range, context);
}

/*
 * The loader's table of a thread's local variables, which it allocates, and of which the control block holds only the
 * address of the second entry.
 */
static void feed_local_table(uintptr_t control, roots_range *range, void *context)
{
    enum { TABLE_OFFSET = 8, ENTRY_BYTES = 16 };
    uintptr_t table;
    if (read_there(control == 0 ? 0 : control + TABLE_OFFSET, &table, sizeof table) == 0)
        feed_value(table - ENTRY_BYTES, range, context);
}

static void feed_threads(roots_range *range, void *context)
{
    for (size_t i = 0; i < now.snapshot->thread_count; i++) {
        const struct snapshot_thread *thread = &now.snapshot->threads[i];
        now.place = (struct root_place){.kind = ROOT_STACK_POINTER, .thread = i};
        feed_value(thread->stack_pointer, range, context);
        now.place.kind = ROOT_REGISTER;
        for (int set = 0; set < CORE_SETS_MAX; set++)
            feed_set(thread->sets[set], thread->set_bytes[set], range, context);
        feed_records(thread, range, context);
        feed_local_table(thread->thread_pointer, range, context);
    }
}

static void feed_ended(roots_range *range, void *context)
{
    now.place = (struct root_place){.kind = ROOT_MANGLED};
    for (size_t i = 0; i < now.ended_count; i++)
        feed_local_table(now.ended[i].start, range, context);
}

static void feed_held(roots_range *range, void *context)
{
    for (size_t i = 0; i < now.snapshot->value_count; i++) {
        const struct snapshot_value *value = &now.snapshot->values[i];
        enum root_kind kind = value->holder == HELD_BY_EPOLL ? ROOT_EPOLL : ROOT_TIMER;
        now.place = (struct root_place){.kind = kind, .number = value->number};
        feed_value(value->value, range, context);
    }
    now.place = (struct root_place){.kind = ROOT_PINNED};
    if (now.pin_count != 0)
        range(now.pins, now.pins + now.pin_count, 8, context);
    for (size_t i = 0; i < ROOTS_WORDS_COUNT; i++)
        if (now.words[i].start != 0)
            range((const void *)now.words[i].start, (const void *)now.words[i].end, 8, context);
}

static int feed(roots_range *range, void *context)
{
    feed_threads(range, context);
    feed_ended(range, context);
    feed_memory(range, context);
    feed_held(range, context);
    return 0;
}

/* ---- begin and end ---- */

static int compare_parts(const void *left, const void *right)
{
    const struct roots_part *a = left, *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

static int make_cuts(const void *roots)
{
    int result = roots != NULL ? read_roots_tables(roots) : 0;
    for (size_t i = 0; i < now.snapshot->thread_count && result == 0; i++)
        result = cut_dead_stack(i);
    for (size_t i = 0; i < now.snapshot->maps.count && result == 0; i++)
        result = cut_ended_stack(i);
    if (result == 0)
        result = cut_library();
    if (now.cut_count != 0)
        qsort(now.cuts, now.cut_count, sizeof *now.cuts, compare_parts);
    return result;
}

static void install(const struct snapshot *snapshot)
{
    struct image *image = (struct image *)snapshot->heap.header.start;
    layout_view(image);
    atomic_store(&heap_layout.limit_bytes, atomic_load(&image->units_used) << UNIT_SHIFT);
    class_rule.bias = image->block_bias;
    roots_use_source(feed);
}

int examine_begin(struct snapshot *snapshot)
{
    struct image_check check;
    now.snapshot = snapshot;
    int result = image_check(&snapshot->heap, &check);
    if (result == 0)
        result = make_cuts(snapshot->heap.header.roots);
    if (result != 0) {
        examine_end();
        return result;
    }
    if (check.damaged_units != 0)
        snapshot_note(snapshot, "%zu units of its heap could not be understood: being changed, or overwritten",
                      check.damaged_units);
    if (check.leak_is_damaged)
        snapshot_note(snapshot, "its tables of call stacks could not be understood");
    install(snapshot);
    return 0;
}

void examine_end(void)
{
    roots_use_source(NULL);
    free(now.cuts);
    free(now.dead);
    free(now.ended);
    memset(&now, 0, sizeof now);
    image_now = NULL;
    atomic_store(&heap_layout.limit_bytes, 0);
}
