/*
 * tools/why_text: what holds a block, in words.
 */
#include "tools/why.h"

#include "base/image.h"
#include "leak/record.h"
#include "leak/stacks.h"
#include "os/maps.h"
#include "tools/graph.h"
#include "tools/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_STEPS = 8, SHOWN_FRAMES = 3, ALL_FRAMES = 32 };

#define FRAME_ADDRESS_MASK ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)

/* ---- words and numbers ---- */

/* Files and symbols may be called anything; our terminal should not obey them. */
static const char *safe(const char *text)
{
    static char rooms[4][NAME_BYTES];
    static unsigned next;
    char *room = rooms[next++ % 4];
    snprintf(room, NAME_BYTES, "%s", text);
    for (char *byte = room; *byte != '\0'; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 127)
            *byte = '?';
    return room;
}

static void print_bytes(size_t bytes)
{
    printf("%zu byte%s", bytes, bytes == 1 ? "" : "s");
}

static bool record_of(const struct block *block, struct block_record *record_out)
{
    return image_now->leak != NULL && record_get((const void *)block->start, record_out);
}

/* What the program asked for, where that is recorded. */
static size_t asked_bytes(const struct block *block)
{
    struct block_record record;
    if (!record_of(block, &record) || record.unused_bytes == UINT16_MAX || record.unused_bytes >= block->size_bytes)
        return block->size_bytes;
    return block->size_bytes - record.unused_bytes;
}

/* ---- places in code ---- */

static void print_name(const struct name *name, bool is_short)
{
    const char *source = is_short ? strrchr(name->source, '/') : NULL;
    source = source != NULL ? source + 1 : name->source;
    const char *file = strrchr(name->module, '/');
    file = file != NULL ? file + 1 : name->module;
    if (name->symbol[0] != '\0')
        printf("%s", safe(name->symbol));
    else
        printf("%s+0x%" PRIx64, safe(file), name->module_offset);
    if (source[0] != '\0')
        printf(" %s", safe(source));
    else if (name->symbol[0] != '\0')
        printf(" (%s)", safe(file));
}

/* One that was unloaded says nothing of what lies there now. */
static void print_frame(const struct why *why, uint64_t frame, bool is_short)
{
    const struct leak_tables *tables = image_now->leak;
    size_t number = frame >> FRAME_MODULE_SHIFT;
    uintptr_t address = (uintptr_t)(frame & FRAME_ADDRESS_MASK) + 1;
    const struct module *module = number != 0 && number < MODULE_COUNT_MAX ? &tables->modules->modules[number] : NULL;
    struct name name;
    if (module != NULL && atomic_load(&module->state) == MODULE_UNLOADED) {
        const char *file = strrchr(module->path, '/');
        printf("%s+0x%" PRIxPTR " (unloaded)", safe(file != NULL ? file + 1 : module->path), address - module->base);
    } else if (names_of_call(why->names, address, &name)) {
        print_name(&name, is_short);
    } else {
        printf("0x%" PRIxPTR, address);
    }
}

static const struct stack *stack_of(const struct block *block)
{
    const struct leak_tables *tables = image_now->leak;
    struct block_record record;
    return record_of(block, &record) ? stacks_get(tables->stacks, record.stack) : NULL;
}

static void print_site(const struct why *why, const struct block *block)
{
    const struct stack *stack = stack_of(block);
    for (uint32_t i = 0; stack != NULL && i < stack->frame_count && i < SHOWN_FRAMES; i++) {
        fputs(i == 0 ? "  " : " < ", stdout);
        print_frame(why, stack->frames[i], true);
    }
}

static void print_stack(const struct why *why, const struct block *block)
{
    const struct stack *stack = stack_of(block);
    for (uint32_t i = 0; stack != NULL && i < stack->frame_count && i < ALL_FRAMES; i++) {
        printf("    #%-2u ", (unsigned)i + 1);
        print_frame(why, stack->frames[i], false);
        putchar('\n');
    }
}

/* ---- roots ---- */

enum { RANK_VARIABLE, RANK_THREAD_LOCAL, RANK_STACK, RANK_MAPPING, RANK_KERNEL, RANK_REGISTER, RANK_UNKNOWN };

static const struct snapshot *ranked; /* graph_rank has no context */

static const struct target_map *map_of(const struct snapshot *snapshot, uintptr_t address)
{
    return target_maps_at(&snapshot->maps, address);
}

/* The thread on whose stack the address lies, or whose control block is near it; SIZE_MAX if none. */
static size_t thread_at(const struct snapshot *snapshot, uintptr_t address, bool *is_local_out)
{
    enum { LOCAL_BYTES_MAX = 1 << 20 };
    const struct target_map *map = map_of(snapshot, address);
    for (size_t i = 0; map != NULL && i < snapshot->thread_count; i++) {
        const struct snapshot_thread *thread = &snapshot->threads[i];
        bool has_stack = thread->stack_pointer >= map->start && thread->stack_pointer < map->end;
        bool has_control = thread->thread_pointer >= map->start && thread->thread_pointer < map->end;
        bool is_near = has_control && address + LOCAL_BYTES_MAX >= thread->thread_pointer;
        *is_local_out = is_near && (!has_stack || thread->thread_pointer - address < 65536 || address >= thread->thread_pointer);
        if (has_stack || is_near)
            return i;
    }
    return SIZE_MAX;
}

static unsigned rank(struct root_place place)
{
    bool is_local;
    const struct target_map *map = place.kind == ROOT_MEMORY ? map_of(ranked, place.address) : NULL;
    switch (place.kind) {
    case ROOT_MEMORY:
        if (map != NULL && (map->kind == OS_MAP_FILE || (map > ranked->maps.entries && map[-1].kind == OS_MAP_FILE &&
                                                         map[-1].end == map->start && map->kind == OS_MAP_PRIVATE)))
            return RANK_VARIABLE;
        if (thread_at(ranked, place.address, &is_local) != SIZE_MAX)
            return is_local ? RANK_THREAD_LOCAL : RANK_STACK;
        return RANK_MAPPING;
    case ROOT_EPOLL:
    case ROOT_TIMER:
    case ROOT_PINNED:
        return RANK_KERNEL;
    case ROOT_REGISTER:
    case ROOT_STACK_POINTER:
        return RANK_REGISTER;
    default:
        return RANK_UNKNOWN;
    }
}

static void print_thread(const struct why *why, size_t index)
{
    const struct snapshot_thread *thread = &why->snapshot->threads[index];
    printf("thread %d", (int)thread->thread_id);
    if (thread->name[0] != '\0')
        printf(" \"%s\"", thread->name);
}

static void print_memory_root(const struct why *why, uintptr_t address)
{
    struct name name;
    bool is_local;
    size_t thread = thread_at(why->snapshot, address, &is_local);
    const struct target_map *map = map_of(why->snapshot, address);
    if (thread != SIZE_MAX && is_local) {
        printf("thread-local memory of ");
        print_thread(why, thread);
    } else if (thread != SIZE_MAX) {
        printf("the stack of ");
        print_thread(why, thread);
        if (names_of_frame(why->names, thread, address, &name)) {
            printf(", in ");
            print_name(&name, false);
        }
    } else if (names_of_variable(why->names, address, &name)) {
        if (name.symbol[0] != '\0' && name.offset != 0)
            printf("variable %s+%zu of %s", safe(name.symbol), name.offset, safe(name.module));
        else if (name.symbol[0] != '\0')
            printf("variable %s of %s", safe(name.symbol), safe(name.module));
        else
            printf("data of %s", safe(name.module));
    } else if (map != NULL) {
        printf("mapping %s%s0x%" PRIxPTR "-0x%" PRIxPTR, safe(map->name), map->name[0] != '\0' ? " " : "", map->start, map->end);
    }
    printf(", at 0x%" PRIxPTR, address);
}

static void print_root(const struct why *why, const struct graph_answer *answer)
{
    struct root_place place = answer->root;
    switch (place.kind) {
    case ROOT_MEMORY:
        print_memory_root(why, place.address);
        return;
    case ROOT_REGISTER:
    case ROOT_STACK_POINTER:
        printf("%s of ", place.kind == ROOT_REGISTER ? "a register" : "the stack pointer");
        print_thread(why, place.thread);
        return;
    case ROOT_EPOLL:
        printf("data of epoll, descriptor %d", place.number);
        return;
    case ROOT_TIMER:
        printf("the value of timer %d", place.number);
        return;
    case ROOT_PINNED:
        printf("pinned by the program");
        return;
    case ROOT_MANGLED:
        printf("a register that setjmp() has stored, or a word across a border, at about 0x%" PRIxPTR, place.address);
        return;
    }
}

/* ---- the way ---- */

static void print_block(const struct why *why, const struct block *block, uintptr_t value)
{
    printf("0x%" PRIxPTR "  ", block->start);
    print_bytes(asked_bytes(block));
    if (value != 0 && value != block->start)
        printf(", by its byte %zu", (size_t)(value - block->start));
    print_site(why, block);
    putchar('\n');
}

static void print_way(const struct why *why, const struct graph_answer *answer)
{
    size_t skipped_from = answer->step_count, skipped_to = answer->step_count;
    if (!why->is_whole && answer->step_count > 2 * SHOWN_STEPS + 1) {
        skipped_from = SHOWN_STEPS;
        skipped_to = answer->step_count - SHOWN_STEPS;
    }
    printf("held by ");
    print_root(why, answer);
    putchar('\n');
    for (size_t i = 0; i < answer->step_count; i++) {
        if (i == skipped_from) {
            printf("      ... %zu more\n", skipped_to - skipped_from);
            i = skipped_to;
        }
        if (i == 0)
            printf("      -> ");
        else
            printf("  +%-4zu-> ", answer->steps[i - 1].offset);
        print_block(why, &answer->steps[i].block, i == 0 ? answer->root_value : answer->steps[i - 1].value);
    }
}

static void print_reachable(const struct why *why, const struct graph_answer *answer)
{
    print_way(why, answer);
    if (answer->dominator < answer->step_count) {
        printf("without 0x%" PRIxPTR " it would be lost: every way leads through that\n",
               answer->steps[answer->dominator].block.start);
    } else if (answer->step_count > 1) {
        printf("several ways lead to it that share no block\n");
    }
    printf("freed with it: %zu block%s, ", answer->freed.blocks, answer->freed.blocks == 1 ? "" : "s");
    print_bytes(answer->freed.bytes);
    puts(" of heap");
}

static void print_lost(const struct why *why, const struct graph_answer *answer)
{
    if (answer->holder_count == 0) {
        printf("lost: nothing holds its address\n");
        return;
    }
    printf("lost: only blocks that are lost themselves hold its address\n");
    for (size_t i = 0; i < answer->holder_count; i++) {
        printf("  at +%-4zu of ", answer->holders[i].offset);
        print_block(why, &answer->holders[i].block, 0);
    }
}

static int no_block(const struct why *why, uintptr_t address)
{
    struct block block;
    if (lookup_block((const void *)address, &block))
        say_error("0x%" PRIxPTR ": free, in a slot of %zu bytes", address, block.size_bytes);
    else if (heap_copy_owns(&why->snapshot->heap, address))
        say_error("0x%" PRIxPTR ": free memory of the heap", address);
    else
        say_error("0x%" PRIxPTR ": not in the heap", address);
    return STATUS_FAILED;
}

int why_answer(struct why *why, uintptr_t address)
{
    struct block block;
    struct graph_answer answer;
    ranked = why->snapshot;
    if (!graph_block_at(address, &block))
        return no_block(why, address);
    if (graph_ask(&block, rank, &answer) != 0) {
        say_error("not enough memory");
        return STATUS_FAILED;
    }
    printf("0x%" PRIxPTR ": ", block.start);
    print_bytes(asked_bytes(&block));
    if (block.use != USE_MALLOC)
        printf(", memory of an arena or pool");
    if (address != block.start)
        printf(", asked about at byte %zu", (size_t)(address - block.start));
    printf("%s\n", stack_of(&block) != NULL ? ", allocated by" : "");
    print_stack(why, &block);
    if (answer.is_reachable)
        print_reachable(why, &answer);
    else
        print_lost(why, &answer);
    graph_answer_free(&answer);
    return STATUS_DONE;
}
