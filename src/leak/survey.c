/*
 * leak/survey: a report about this very process.
 *
 * The work is done below a frame that all registers were written to, and that frame is where the caller's stack begins:
 * what our own frames hold is no root.
 *
 * Uses os, base, heap, gc. Locks: the collector's, then all of the heap's, while threads are stopped.
 */
#include "leak/survey.h"

#include "base/image.h"
#include "base/lock.h"
#include "gc/area.h"
#include "gc/ledger.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "heap/collector.h"
#include "heap/fork.h"
#include "heap/thread.h"
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

enum { ATTEMPTS = 4, EXIT_FRAMES_MAX = 16 };

struct survey {
    struct report *report;
    const struct report_about *about;
    bool at_exit;
    int result;
};

static struct lock own_lock;
static struct area threads_area;

/* ---- in place of a collector ---- */

static void lock_own(void)
{
    lock_take(&own_lock);
    roots_lock();
    ledger_lock();
}

static void unlock_own(void)
{
    ledger_unlock();
    roots_unlock();
    lock_release(&own_lock);
}

static void reset_own(void)
{
    lock_reset(&own_lock);
    roots_lock_reset();
    ledger_lock_reset();
}

static bool on_growing(size_t unit_count)
{
    (void)unit_count;
    return false;
}

static void on_exhausted(void)
{
}

int survey_start(void)
{
    static const struct heap_collector substitute = {
        .growing = on_growing,
        .exhausted = on_exhausted,
        .lock = lock_own,
        .unlock = unlock_own,
        .lock_reset = reset_own,
    };
    int result = 0;
    if (!threads_is_own_process()) {
        result = threads_start();
        if (result == 0)
            result = stop_start();
    }
    if (result == 0 && heap_collector == NULL)
        heap_collector = &substitute;
    return result == 0 ? ended_start() : result;
}

/* ---- roots ---- */

static bool is_libcs(uint64_t frame)
{
    static const char names[3][12] = {"/libc.so", "/libc-2.", "/ld-linux"};
    uint64_t number = frame >> FRAME_MODULE_SHIFT;
    const struct leak_tables *tables = image_now->leak;
    if (number == 0 || number >= MODULE_COUNT_MAX)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (strstr(tables->modules->modules[number].path, names[i]) != NULL)
            return true;
    return false;
}

/* Between us and the first frame of all, which is the program's, there are only frames of libc's: main() has returned. */
static bool main_has_returned(void)
{
    struct os_registers here = os_registers_here();
    struct os_object own;
    uint64_t frames[EXIT_FRAMES_MAX];
    const struct leak_tables *tables = image_now->leak;
    if (tables == NULL || !os_object_find(here.program_counter, &own))
        return false;
    uint32_t count = unwind_stack(&here, own.start, own.end, frames, EXIT_FRAMES_MAX, 0);
    if (count < 2 || count == EXIT_FRAMES_MAX)
        return false;
    for (uint32_t i = 0; i + 1 < count; i++)
        if (!is_libcs(frames[i]))
            return false;
    return !is_libcs(frames[count - 1]);
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
static int classify_all(struct survey *survey, uintptr_t stack_start)
{
    uintptr_t program_stack = os_main_stack_end();
    if (survey->at_exit && program_stack > stack_start && main_has_returned())
        stack_start = program_stack;
    const struct stopped *threads = threads_from(stack_start);
    int result = threads != NULL ? classify_start(&source) : -ENOMEM;
    if (result != 0)
        return result;
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

static void run(void *context)
{
    struct survey *survey = context;
    uintptr_t stack_start = (uintptr_t)__builtin_frame_address(0);
    heap_collector->lock();
    for (int i = 0; i < ATTEMPTS; i++) {
        heap_lock_all();
        survey->result = stop_begin();
        if (survey->result == 0) {
            survey->result = classify_all(survey, stack_start);
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

int survey_take(struct report *report, const struct report_about *about, bool at_exit)
{
    struct survey survey = {.report = report, .about = about, .at_exit = at_exit};
    if (heap_collector == NULL || os_process_id() != image_now->process_id)
        return -EPERM;
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    stop_spill(run, &survey);
    return survey.result;
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
        if (!is_libcs(frames[i]))
            return false;
    }
    return false;
}
