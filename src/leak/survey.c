/*
 * leak/survey: a report about this very process.
 *
 * What our own frames hold is no root: the caller's stack begins where the program has called us, with the registers it had.
 *
 * Uses os, base, heap, gc. Locks: the collector's, then all of the heap's, while threads are stopped.
 */
#include "leak/survey.h"

#include "base/image.h"
#include "gc/area.h"
#include "gc/cycle.h"
#include "gc/roots.h"
#include "gc/stand_in.h"
#include "gc/stop.h"
#include "heap/birth.h"
#include "heap/collector.h"
#include "heap/fork.h"
#include "heap/span.h"
#include "heap/thread.h"
#include "leak/cfi.h"
#include "leak/ended.h"
#include "leak/record.h"
#include "leak/unwind.h"
#include "os/object.h"
#include "os/peek.h"
#include "os/process.h"
#include "os/registers.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

enum { ATTEMPTS = 4, FRAMES_SKIPPED_MAX = 32, FIRST_FRAME_BYTES = 256, EXIT_FRAMES_MAX = 16, STATE_WITHOUT_BIRTH = (1 << BIRTH_SHIFT) - 1 };

struct caller;

/* What is done while the others are stopped and the heap's locks held. */
struct survey {
    int (*function)(struct survey *survey, const struct caller *caller);
    struct report *report;
    const struct report_about *about;
    bool at_exit;
    uint32_t birth;
    int result;
};

static struct area threads_area;

int survey_start(void)
{
    int result = stand_in_start();
    return result == 0 ? ended_start() : result;
}

/* ---- roots ---- */

/* Or the kernel's page of code, where libc's clocks are read. */
static bool is_libcs(uint64_t frame)
{
    static const char names[4][12] = {"/libc.so", "/libc-2.", "/ld-linux", "linux-vdso"};
    uint64_t number = frame >> FRAME_MODULE_SHIFT;
    const struct leak_tables *tables = image_now->leak;
    if (number == 0 || number >= MODULE_COUNT_MAX)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(tables->modules->modules[number].path, names[i]) != NULL)
            return true;
    return false;
}

/* Where the program's part of the calling thread's stack begins, and what it had in its registers there. */
struct caller {
    uintptr_t stack_start;
    struct os_all_registers registers;
};

static bool is_of_libc(const struct os_object *object)
{
    return strstr(object->name, "/libc.so") != NULL || strstr(object->name, "/libc-2.") != NULL ||
           strstr(object->name, "/ld-linux") != NULL;
}

/* A frame whose caller is nobody: the program's first, when main() has returned. */
static bool is_first(const struct os_object *object, const struct os_all_registers *registers)
{
    struct os_all_registers at = *registers;
    return at.main.stack_pointer >= os_main_stack_end() - FIRST_FRAME_BYTES &&
           at.main.stack_pointer <= os_main_stack_end() && !cfi_step(object, &at);
}

/*
 * Goes from our frames to who called us; at the end of the program on through those of libc's. They are no part of the program,
 * and what they have not written yet is left of calls that have returned. What the program had in registers, they may have
 * saved. Where the tables don't help, everything from here up counts.
 */
NOINLINE static struct caller find_caller(struct os_all_registers at, bool at_exit)
{
    const struct caller fallback = {at.main.stack_pointer, at};
    uintptr_t start;
    uintptr_t end;
    record_own_object(&start, &end);
    for (int i = 0; i < FRAMES_SKIPPED_MAX; i++) {
        struct os_object object;
        if (!os_object_find(at.main.program_counter - 1, &object))
            return fallback;
        bool is_ours = object.start == start && start != 0;
        if (!is_ours && at_exit && is_first(&object, &at))
            return (struct caller){os_main_stack_end(), {{0, 0, 0, 0}, {0}}};
        if (!is_ours && !(at_exit && is_of_libc(&object)))
            return (struct caller){at.main.stack_pointer, at};
        if (!cfi_step(&object, &at))
            return fallback;
    }
    return fallback;
}

/* The stopped threads, the caller's stack being used from `start` on. They stay where they are until the end. */
static const struct stopped *threads_from(uintptr_t start)
{
    size_t count = stop_count();
    if (area_need(&threads_area, count * sizeof(struct stopped)) != 0)
        return NULL;
    struct stopped *threads = (struct stopped *)threads_area.start;
    memcpy(threads, stop_threads(), count * sizeof *threads);
    for (size_t i = 0; i < count; i++)
        if (threads[i].thread_id == os_thread_id())
            threads[i].stack_pointer = start;
    return threads;
}

static void feed(const void *start, const void *end, unsigned step_bytes, void *context)
{
    size_t count;
    (void)context;
    const struct roots_part *parts = roots_unreadable(&count);
    classify_leave_out(parts, count);
    classify_roots(start, end, step_bytes, roots_are_kernels());
}

/* What looks like the address of a table may be anything. */
static bool read_word(uintptr_t address, uint64_t *word_out)
{
    struct os_object object;
    uintptr_t end = address + sizeof *word_out;
    if (!os_object_find(address, &object) || end > object.end || !os_is_readable(address, end))
        return false;
    memcpy(word_out, (const void *)address, sizeof *word_out);
    return true;
}

static const struct classify_source source = {.read = read_word};

/* Our variables hold addresses of the heap, where its first block lies, and none that the program has given us. */
static void hide_own_data(bool hidden)
{
    uintptr_t start;
    uintptr_t end;
    record_own_object(&start, &end);
    if (start != end && hidden)
        roots_hide((const void *)start, end - start);
    else if (start != end)
        roots_unhide((const void *)start);
}

/* All others are stopped, and the heap's locks held. */
static int classify_all(struct survey *survey, const struct caller *caller)
{
    const struct stopped *threads = threads_from(caller->stack_start);
    int result = threads != NULL ? classify_start(&source) : -ENOMEM;
    if (result != 0)
        return result;
    const struct os_all_registers *registers = &caller->registers;
    classify_roots(registers, registers + 1, sizeof(uintptr_t), false);
    hide_own_data(true);
    ended_hide(threads, stop_count());
    result = roots_scan_stacks(threads, stop_count(), feed, NULL);
    ended_unhide();
    hide_own_data(false);
    if (result == 0)
        result = classify_finish();
    if (result == 0)
        result = report_build(survey->report, survey->about);
    return result;
}

NOINLINE static void run(struct survey *survey)
{
    struct caller caller = find_caller(os_all_registers_here(), survey->at_exit);
    heap_collector->lock();
    for (int i = 0; i < ATTEMPTS; i++) {
        heap_lock_all();
        survey->result = stop_begin();
        if (survey->result == 0) {
            survey->result = survey->function(survey, &caller);
            heap_unlock_all();
            classify_end();
            stop_end();
            break;
        }
        heap_unlock_all();
        if (survey->result != -EAGAIN)
            break;
    }
    heap_collector->unlock();
}

static int run_stopped(struct survey *survey)
{
    if (heap_collector == NULL || os_process_id() != image_now->process_id)
        return -EPERM;
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    run(survey);
    return survey->result;
}

int survey_take(struct report *report, const struct report_about *about, bool at_exit)
{
    struct survey survey = {.function = classify_all, .report = report, .about = about, .at_exit = at_exit};
    return run_stopped(&survey);
}

/* ---- births ---- */

/* Blocks that were born when this birth was last used are old. */
static void make_old(const struct span *span, uint32_t birth)
{
    struct unit *first = &heap_layout.units[span->first_unit];
    if (first->kind == UNIT_LARGE) {
        uint8_t state = atomic_load_explicit(&first->large_state, memory_order_relaxed);
        if (slot_is_allocated(state) && slot_birth(state) == birth)
            atomic_store_explicit(&first->large_state, (uint8_t)(state & STATE_WITHOUT_BIRTH), memory_order_relaxed);
        return;
    }
    for (uint32_t i = 0; i < span->slot_count; i++) {
        uint8_t state = slot_state_get(&span->states[i]);
        if (slot_is_allocated(state) && slot_birth(state) == birth)
            slot_state_set(&span->states[i], state & STATE_WITHOUT_BIRTH);
    }
}

static int begin_birth(struct survey *survey, const struct caller *caller)
{
    (void)caller;
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        make_old(span, survey->birth);
    heap_birth_set(survey->birth);
    return 0;
}

int survey_begin_birth(uint32_t birth)
{
    struct survey survey = {.function = begin_birth, .birth = birth};
    return gc_active() ? -EOPNOTSUPP : run_stopped(&survey);
}

bool survey_is_ours(const void *context)
{
    struct os_registers from = os_registers_of_context(context);
    uint64_t frames[EXIT_FRAMES_MAX];
    uintptr_t start;
    uintptr_t end;
    record_own_object(&start, &end);
    uint32_t count = image_now->leak != NULL ? unwind_stack(&from, 0, 0, frames, EXIT_FRAMES_MAX, 0) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t address = frames[i] & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1);
        if (address - start < end - start)
            return true;
        bool is_known = frames[i] >> FRAME_MODULE_SHIFT != 0;
        if (is_known && !is_libcs(frames[i]))
            return false;
    }
    return true; /* for all we know */
}
