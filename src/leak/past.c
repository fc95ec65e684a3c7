/*
 * leak/past: where a block was allocated and freed, for reports of misuse.
 *
 * Modules and offsets in them, for addr2line: the target reads no symbols.
 *
 * Uses base, heap. Locks: none.
 */
#include "leak/past.h"

#include "base/format.h"
#include "base/image.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "heap/span.h"
#include "leak/record.h"
#include "leak/stacks.h"

#include <string.h>

enum { FRAMES_SHOWN = 8 };

#define ADDRESS_MASK (((uint64_t)1 << FRAME_MODULE_SHIFT) - 1)

static void add_frame(struct text *text, const struct leak_tables *tables, const char *what,
                      uint64_t frame)
{
    uint64_t number = frame >> FRAME_MODULE_SHIFT;
    uint64_t address = frame & ADDRESS_MASK;
    text_add(text, "  %-9s  ", what);
    if (number == 0 || number >= MODULE_COUNT_MAX) {
        text_add(text, "0x%lx\n", address);
        return;
    }
    const struct module *module = &tables->modules->modules[number];
    const char *slash = strrchr(module->path, '/');
    text_add(text, "%s+0x%lx\n", slash != NULL ? slash + 1 : module->path, address - module->base);
}

static void add_stack(struct text *text, const char *what, uint32_t id)
{
    const struct leak_tables *tables = image_now->leak;
    struct stack frames;
    const struct stack *stack = tables != NULL ? stacks_get(tables->stacks, id, &frames) : NULL;
    if (stack == NULL)
        return;
    for (uint32_t i = 0; i < stack->frame_count && i < FRAMES_SHOWN; i++)
        add_frame(text, tables, i == 0 ? what : "", stack->frames[i]);
}

static void describe(struct text *text, const void *address)
{
    struct block_record record;
    struct block block;
    if (!record_get(address, &record) || !lookup_block(address, &block))
        return;
    add_stack(text, "allocated", record_stack(&record));
    const uint32_t *freed = __atomic_load_n(&block.span->columns[COLUMN_FREED], __ATOMIC_ACQUIRE);
    if (freed != NULL && !block_is_allocated(&block))
        add_stack(text, "freed", freed[block.index]);
}

void past_start(void)
{
    misuse_register_history(describe);
}
