/*
 * stacks/recorded: what the library has recorded of a block, read as a tool reads it: from the image, by nothing but what
 * headers say. A program includes this once.
 */
#ifndef TESTS_STACKS_RECORDED_H
#define TESTS_STACKS_RECORDED_H

#include "base/image.h"
#include "heap/span.h"
#include "leak/tables.h"
#include "support/require.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline const struct image *recorded_image(void)
{
    static struct image **image;
    if (image == NULL)
        *(void **)&image = dlsym(RTLD_DEFAULT, "gca_image");
    require(image != NULL && *image != NULL);
    return *image;
}

static inline const struct leak_tables *recorded_tables(void)
{
    const struct leak_tables *tables = recorded_image()->leak;
    require(tables != NULL && tables->tables_bytes == sizeof *tables);
    return tables;
}

static inline const struct span *span_of(const void *block)
{
    const struct image *image = recorded_image();
    const struct unit *unit = (const struct unit *)image->units_start +
                              (((uintptr_t)block - image->slots_start) >> UNIT_SHIFT);
    require(unit->span != NULL);
    return unit->span;
}

static inline const struct block_record *record_of(const void *block)
{
    const struct span *span = span_of(block);
    require(span->columns[COLUMN_STACK] != NULL);
    size_t index = span->owner == NULL ? 0 : ((uintptr_t)block - span->start) / span->slot_bytes;
    return (const struct block_record *)span->columns[COLUMN_STACK] + index;
}

static inline bool has_record(const void *block)
{
    return span_of(block)->columns[COLUMN_STACK] != NULL && record_of(block)->stack != 0;
}

static inline const struct stack_entry *entry_of(uint32_t id)
{
    const uint64_t *chunk = recorded_tables()->stacks->chunks[id / STACK_CHUNK_WORDS];
    require(id != 0 && chunk != NULL);
    return (const struct stack_entry *)(chunk + id % STACK_CHUNK_WORDS);
}

/* Until the thread asks again. */
static inline const struct stack *stack_of(const void *block)
{
    uint32_t id = record_of(block)->stack;
    require(id != 0);
    static __thread struct stack stack;
    const struct stack_entry *entry = entry_of(id);
    uint32_t skip = 0;
    stack.frame_count = entry->frame_count;
    for (uint32_t i = 0; i < stack.frame_count; i++, skip++) {
        while (skip == entry->own_count) {
            skip = entry->outer_skip;
            entry = entry_of(entry->outer);
            require(skip < entry->own_count);
        }
        stack.frames[i] = entry->frames[skip];
    }
    return &stack;
}

static inline uintptr_t frame_address(uint64_t frame)
{
    return frame & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1);
}

static inline const struct module *frame_module(uint64_t frame)
{
    return &recorded_tables()->modules->modules[frame >> FRAME_MODULE_SHIFT];
}

/* Where the stack's frames hold these return addresses, one after the other; -1 when they don't. */
static inline int frames_find(const struct stack *stack, void *const *returns, uint32_t count)
{
    for (uint32_t from = 0; from + count <= stack->frame_count; from++) {
        uint32_t i = 0;
        while (i < count && frame_address(stack->frames[from + i]) == (uintptr_t)returns[i] - 1)
            i++;
        if (i == count)
            return (int)from;
    }
    return -1;
}

#endif
