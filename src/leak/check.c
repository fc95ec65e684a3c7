/*
 * leak/check: looks for leaks and says what was found.
 *
 * Everything of any size is static, since programs end on small stacks, and our frames should leave few traces.
 *
 * Uses os, base. Locks: one, around a whole check; a survey's inside.
 */
#include "leak/check.h"

#include "base/image.h"
#include "base/lock.h"
#include "base/message.h"
#include "base/options.h"
#include "gc/roots.h"
#include "heap/unit.h"
#include "leak/suppress.h"
#include "leak/survey.h"
#include "os/object.h"
#include "os/output.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

enum { PATH_BYTES = 512, ARGUMENTS_BYTES = 4096, FILES_MAX = 1000 };

static const char *const moment_names[] = {"exit", "_exit", "quick_exit", "exec", "asked", "signal"};

static struct lock check_lock;
static _Atomic int32_t owner; /* of the lock; 0 without */
static bool is_on;
static uint64_t serial; /* of births */
static struct report report;
static struct sink sink;
static char program_path[PATH_BYTES];
static char arguments[ARGUMENTS_BYTES];

/* A thread of the parent's may have been at it. */
static void after_fork_in_child(void)
{
    lock_reset(&check_lock);
    owner = 0;
}

int check_start(void)
{
    int result = image_now != NULL ? survey_start() : -ENOMEM;
    if (result == 0)
        result = -os_at_fork(after_fork_in_child);
    is_on = result == 0;
    return result;
}

bool check_is_on(void)
{
    return is_on;
}

/* ---- what is known of the process ---- */

/* By the clock of records: with the option lifetimes the coarse one would lag behind them. */
static uint32_t now_ms(void)
{
    const struct leak_tables *tables = image_now->leak;
    if (tables == NULL)
        return 0;
    uint64_t now_ns = tables->lives != NULL ? os_clock_ns() : os_clock_coarse_ns();
    return (uint32_t)((now_ns - tables->start_ns) / 1000000);
}

static struct report_about about_now(enum check_moment moment)
{
    os_program_file(program_path, sizeof program_path);
    return (struct report_about){
        .kind = "leaks",
        .moment = moment_names[moment],
        .process_id = os_process_id(),
        .parent_id = os_parent_id(),
        .path = program_path[0] != '\0' ? program_path : os_program_path(), /* no /proc here: as it was started */
        .arguments = arguments,
        .arguments_bytes = os_program_arguments(arguments, sizeof arguments),
        .taken_ms = os_clock_real_ms(),
        .now_ms = now_ms(),
        .all_blocks = options_now()->report_all,
        .thread_name = os_thread_name,
    };
}

static const char *why_not(int error)
{
    if (error == -EAGAIN)
        return "a thread could not be stopped, so that nothing can be said of leaks";
    if (error == -EDEADLK)
        return "the program ended in a signal handler that had interrupted malloc or the like, so that nothing can be said of leaks";
    if (error == -ENOMEM)
        return "there was no memory to look for leaks";
    return "some memory of the program could not be read, so that nothing can be said of leaks";
}

/* An empty report that says why it is empty. */
static void build_nothing(const struct report_about *about, int error)
{
    report_drop(&report);
    report = (struct report){.about = *about};
    report.about.incomplete[report.about.incomplete_count++] = why_not(error);
    report_keep_lives(&report);
}

static int take(enum check_moment moment, uint32_t births, struct check_result *result_out)
{
    struct report_about about = about_now(moment);
    about.births = births;
    int result = survey_take(&report, &about, moment == CHECK_EXIT || moment == CHECK_QUICK_EXIT);
    if (result == -EPERM)
        return result;
    if (result != 0)
        build_nothing(&about, result);
    else if (roots_are_hidden())
        report.about.incomplete[report.about.incomplete_count++] =
            "the program hides addresses of blocks, so some may not be lost that are said to be";
    suppress_apply(&report);
    report_settle(&report);
    *result_out = (struct check_result){{0, 0}, {0, 0}, {0, 0}};
    for (uint32_t i = 0; i < report.record_count; i++) {
        const struct report_record *record = &report_records(&report)[i];
        struct leak_counts *counts = record->class == LEAK_DEFINITE   ? &result_out->definite
                                     : record->class == LEAK_POSSIBLE ? &result_out->possible
                                                                      : NULL;
        if (counts == NULL || record->is_inherited || report.about.incomplete_count != 0)
            continue;
        counts->blocks += record->own.blocks;
        counts->bytes += record->own.bytes;
        result_out->indirect.blocks += record->indirect.blocks;
        result_out->indirect.bytes += record->indirect.bytes;
    }
    return 0;
}

/* ---- where it goes ---- */

static int write_to_descriptor(void *context, const char *bytes, size_t size_bytes)
{
    return os_write_all(*(const int *)context, bytes, size_bytes);
}

static int write_as_message(void *context, const char *bytes, size_t size_bytes)
{
    (void)context;
    message_write(&(struct text){(char *)(uintptr_t)bytes, size_bytes + 1, size_bytes});
    return 0;
}

/* A name that is taken, by an earlier report or anything else, is left alone: the next free one with a number is used. */
static int open_report(struct text *path)
{
    message_expand_path(path, options_now()->report_file);
    size_t length = path->length;
    int descriptor = os_create(path->bytes);
    for (int i = 2; descriptor == -EEXIST && i < FILES_MAX; i++) {
        path->length = length;
        text_add(path, ".%d", i);
        descriptor = os_create(path->bytes);
    }
    return descriptor;
}

static void write_text(void)
{
    sink_start(&sink, write_as_message, NULL);
    report_write_text(&report, &sink);
    sink_finish(&sink);
}

static void write_file(void)
{
    char buffer[OPTION_TEXT_BYTES + 64];
    struct text path = text_in(buffer, sizeof buffer);
    int descriptor = open_report(&path);
    int result = descriptor;
    if (descriptor >= 0) {
        sink_start(&sink, write_to_descriptor, &descriptor);
        report_write_json(&report, &sink);
        result = sink_finish(&sink);
        os_close(descriptor);
    }
    if (result >= 0)
        return;
    message_warn("the report can't be written to %s, error %d", path.bytes, -result);
    write_text();
}

static bool is_worth_telling(const struct check_result *result)
{
    return result->definite.blocks != 0 || result->possible.blocks != 0 || report.about.incomplete_count != 0;
}

static int begin(void)
{
    int32_t self = os_thread_id();
    if (owner == self)
        return -EDEADLK;
    lock_take(&check_lock);
    owner = self;
    return 0;
}

static void end(void)
{
    owner = 0;
    lock_release(&check_lock);
}

static void write_report(enum check_moment moment, const struct check_result *result)
{
    bool is_telling = is_worth_telling(result);
    if (options_now()->report_file[0] != '\0' && (is_telling || moment != CHECK_EXEC))
        write_file();
    else if (is_telling)
        write_text();
    bool is_end = moment <= CHECK_QUICK_EXIT && image_now->fork_count == 0;
    if (is_end && options_now()->report_file[0] == '\0' && report.about.incomplete_count == 0)
        suppress_warn_unused();
}

void check_refuse(enum check_moment moment)
{
    struct report_about about = about_now(moment);
    if (owner == os_thread_id())
        return;
    build_nothing(&about, -EDEADLK);
    report_settle(&report);
    write_report(moment, &(struct check_result){{0, 0}, {0, 0}, {0, 0}});
}

int check_now(enum check_moment moment, struct check_result *result_out)
{
    int result = begin();
    if (result != 0)
        return result;
    result = take(moment, 0, result_out);
    if (result == 0) {
        write_report(moment, result_out);
        report_drop(&report);
    }
    end();
    return result;
}

int check_to(int descriptor, enum check_form form, uint32_t births, struct leak_counts totals_out[LEAK_CLASSES])
{
    struct check_result result_of;
    int result = begin();
    if (result != 0)
        return result;
    result = take(CHECK_ASKED, births, &result_of);
    if (result == 0) {
        memcpy(totals_out, report.totals, sizeof report.totals);
        sink_start(&sink, write_to_descriptor, &descriptor);
        if (form == CHECK_JSON)
            report_write_json(&report, &sink);
        else if (form == CHECK_TEXT)
            report_write_text(&report, &sink);
        result = sink_finish(&sink);
        report_drop(&report);
    }
    end();
    return result;
}

/* ---- births ---- */

static uint32_t birth_of(uint64_t number)
{
    return (uint32_t)(number % (BIRTH_COUNT - 1)) + 1;
}

int check_begin(uint64_t *serial_out)
{
    int result = begin();
    if (result != 0)
        return result;
    result = survey_begin_birth(birth_of(serial + 1));
    if (result == 0)
        *serial_out = ++serial;
    end();
    return result;
}

uint32_t check_births(uint64_t from)
{
    uint32_t births = 0;
    if (from == 0 || from > serial || serial - from >= BIRTH_COUNT - 1)
        return 0;
    for (uint64_t number = from; number <= serial; number++)
        births |= (uint32_t)1 << birth_of(number);
    return births;
}
