/*
 * tools/place_text: places in a program, in words: code, variables, stacks, blocks.
 */
#include "tools/place_text.h"

#include "base/image.h"
#include "heap/span.h"
#include "heap/typed.h"
#include "leak/record.h"
#include "leak/stacks.h"
#include "os/maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

void place_print_bytes(size_t bytes)
{
    printf("%zu byte%s", bytes, bytes == 1 ? "" : "s");
}

struct places places_open(const struct snapshot *snapshot)
{
    struct places places = {.snapshot = snapshot, .names = names_open(snapshot)};
    places.frames = frames_open(places.names);
    return places;
}

void places_close(struct places *places)
{
    frames_close(places->frames);
    names_close(places->names);
}

static bool record_of(const struct block *block, struct block_record *record_out)
{
    return image_now->leak != NULL && record_get((const void *)block->start, record_out);
}

size_t place_block_bytes(const struct block *block)
{
    struct block_record record;
    if (!record_of(block, &record) || record.unused_bytes == UINT16_MAX || record.unused_bytes >= block->size_bytes)
        return block->size_bytes;
    return block->size_bytes - record.unused_bytes;
}

void place_print_type(const struct block *block)
{
    const uint32_t *types = block->span->columns[COLUMN_TYPE];
    const char *name = types != NULL ? typed_name(image_now->types, types[block->index]) : "";
    if (*name != '\0')
        printf(", %s", safe(name));
}

/* ---- places in code ---- */

static void print_name(const struct name *name)
{
    const char *file = strrchr(name->module, '/');
    file = file != NULL ? file + 1 : name->module;
    if (name->symbol[0] != '\0')
        printf("%s", safe(name->symbol));
    else
        printf("%s+0x%" PRIx64, safe(file), name->module_offset);
    if (name->source[0] != '\0')
        printf(" %s", safe(name->source));
    else if (name->symbol[0] != '\0')
        printf(" (%s)", safe(file));
}

static const struct stack *stack_of(const struct block *block, struct stack *stack_out)
{
    const struct leak_tables *tables = image_now->leak;
    struct block_record record;
    return record_of(block, &record) ? stacks_get(tables->stacks, record_stack(&record), stack_out) : NULL;
}

static const struct stack *freed_stack_of(const struct block *block, struct stack *stack_out)
{
    const struct leak_tables *tables = image_now->leak;
    const uint32_t *freed = block->span->columns[COLUMN_FREED];
    return tables != NULL && freed != NULL ? stacks_get(tables->stacks, freed[block->index], stack_out) : NULL;
}

void place_print_site(const struct places *places, const struct block *block)
{
    struct stack room;
    const struct stack *stack = stack_of(block, &room);
    if (stack != NULL)
        frames_print_site(places->frames, stack);
}

static void print_stack(const struct places *places, const struct stack *stack)
{
    if (stack != NULL)
        frames_print_stack(places->frames, stack);
}

bool place_has_stack(const struct block *block)
{
    struct stack room;
    return stack_of(block, &room) != NULL;
}

void place_print_stack(const struct places *places, const struct block *block)
{
    struct stack room;
    print_stack(places, stack_of(block, &room));
}

bool place_has_freed_stack(const struct block *block)
{
    struct stack room;
    return freed_stack_of(block, &room) != NULL;
}

void place_print_freed_stack(const struct places *places, const struct block *block)
{
    struct stack room;
    print_stack(places, freed_stack_of(block, &room));
}

/* ---- roots ---- */

const struct target_map *place_map_of(const struct snapshot *snapshot, uintptr_t address)
{
    return target_maps_at(&snapshot->maps, address);
}

size_t place_thread_at(const struct snapshot *snapshot, uintptr_t address, bool *is_local_out)
{
    enum { LOCAL_BYTES_MAX = 1 << 20 };
    const struct target_map *map = place_map_of(snapshot, address);
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

static void print_thread(const struct places *places, size_t index)
{
    const struct snapshot_thread *thread = &places->snapshot->threads[index];
    printf("thread %d", (int)thread->thread_id);
    if (thread->name[0] != '\0')
        printf(" \"%s\"", thread->name);
}

static void print_memory_root(const struct places *places, uintptr_t address)
{
    struct name name;
    bool is_local;
    size_t thread = place_thread_at(places->snapshot, address, &is_local);
    const struct target_map *map = place_map_of(places->snapshot, address);
    if (thread != SIZE_MAX && is_local) {
        printf("thread-local memory of ");
        print_thread(places, thread);
    } else if (thread != SIZE_MAX) {
        printf("the stack of ");
        print_thread(places, thread);
        if (names_of_frame(places->names, thread, address, &name)) {
            printf(", in ");
            print_name(&name);
        }
    } else if (names_of_variable(places->names, address, &name)) {
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

void place_print_root(const struct places *places, struct root_place place)
{
    switch (place.kind) {
    case ROOT_MEMORY:
        print_memory_root(places, place.address);
        return;
    case ROOT_REGISTER:
    case ROOT_STACK_POINTER:
        printf("%s of ", place.kind == ROOT_REGISTER ? "a register" : "the stack pointer");
        print_thread(places, place.thread);
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

