/*
 * tools/frames: names of recorded frames, as reports have them: with inlined calls, the lines of libc's debug file,
 * without the allocator's own frames and those that call main().
 *
 * What names stacks in reports works on a report; so here is one, of nothing but modules and a stack at a time.
 */
#include "tools/frames.h"

#include "base/image.h"
#include "tools/report/memory.h"
#include "tools/report/names.h"
#include "tools/report/quantity.h"
#include "tools/report/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_FRAMES = 3 };

#define FRAME_ADDRESS_MASK ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)

struct frames {
    struct report report;
    struct report_stack stack;
    struct symbols *symbols;
    struct names *names;
};

static struct report_module module_of(const struct module *module)
{
    char *build_id = memory_take(2 * MODULE_BUILD_ID_BYTES + 1, 1);
    for (uint32_t i = 0; i < module->build_id_bytes; i++)
        snprintf(build_id + (size_t)2 * i, 3, "%02x", module->build_id[i]);
    bool is_gone = atomic_load_explicit(&module->state, memory_order_relaxed) == MODULE_UNLOADED;
    return (struct report_module){
        .path = module->path, .build_id = build_id, .loaded_ms = -1, .unloaded_ms = is_gone ? (int64_t)module->unloaded_ms : -1};
}

static void take_modules(struct report *report)
{
    const struct leak_tables *tables = image_now->leak;
    uint32_t count = tables != NULL ? atomic_load_explicit(&tables->modules->count, memory_order_relaxed) : 0;
    report->modules = memory_take((size_t)count + 1, sizeof *report->modules);
    for (uint32_t i = 1; i < count && i < MODULE_COUNT_MAX; i++)
        report->modules[report->module_count++] = module_of(&tables->modules->modules[i]);
}

struct frames *frames_open(const struct names *names)
{
    (void)names; /* of the files that are mapped now */
    struct frames *frames = memory_take(1, sizeof *frames);
    take_modules(&frames->report);
    frames->report.program = "";
    frames->report.moment = "";
    frames->report.stacks = &frames->stack;
    frames->report.stack_count = 1;
    frames->symbols = symbols_open("");
    frames->names = names_make(&frames->report, frames->symbols);
    return frames;
}

void frames_close(struct frames *frames)
{
    names_free(frames->names);
    symbols_close(frames->symbols);
    for (size_t i = 0; i < frames->report.module_count; i++)
        free((void *)(uintptr_t)frames->report.modules[i].build_id);
    free(frames->report.modules);
    free(frames);
}

/* As reports have addresses: behind the call, as the module's file counts. */
static void take_stack(struct frames *frames, const struct stack *stack, struct report_address addresses[FRAMES_MAX])
{
    const struct leak_tables *tables = image_now->leak;
    frames->stack = (struct report_stack){addresses, stack->frame_count};
    for (uint32_t i = 0; i < stack->frame_count; i++) {
        uint64_t number = stack->frames[i] >> FRAME_MODULE_SHIFT;
        uint64_t address = (stack->frames[i] & FRAME_ADDRESS_MASK) + 1;
        bool is_known = number != 0 && number <= frames->report.module_count;
        addresses[i] = is_known ? (struct report_address){(int32_t)number - 1, address - tables->modules->modules[number].base}
                                : (struct report_address){-1, address};
    }
}

static void print_short(struct frames *frames, const struct trace_frame *frame)
{
    char *label = names_label(&frames->report, frame);
    render_safe(stdout, label);
    free(label);
    if (frame->symbol == NULL || frame->symbol->file == NULL)
        return;
    putchar(' ');
    render_safe(stdout, text_base_name(frame->symbol->file));
    if (frame->symbol->line > 0)
        printf(":%u", frame->symbol->line);
}

void frames_print_site(struct frames *frames, const struct stack *stack)
{
    struct report_address addresses[FRAMES_MAX];
    take_stack(frames, stack, addresses);
    struct trace trace = names_trace(frames->names, 0, true);
    for (size_t i = 0; i < trace.count && i < SHOWN_FRAMES; i++) {
        fputs(i == 0 ? "  " : " < ", stdout);
        print_short(frames, &trace.frames[i]);
    }
    free(trace.frames);
}

void frames_print_stack(struct frames *frames, const struct stack *stack)
{
    struct report_address addresses[FRAMES_MAX];
    struct report_record record = {.stack = 0};
    struct render render = {.out = stdout, .report = &frames->report, .names = frames->names};
    take_stack(frames, stack, addresses);
    text_trace(&render, &record);
}
