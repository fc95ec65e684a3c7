/*
 * tools/snapshot_report: the report of a snapshot.
 *
 * The library's own code classifies the copied heap and writes the report; only the roots, and what it asks the kernel
 * about its own process, come from the snapshot.
 */
#include "tools/snapshot_report.h"

#include "base/image.h"
#include "heap/span.h"
#include "leak/classify.h"
#include "leak/report.h"
#include "tools/examine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, ARGUMENTS_BYTES = 65536 };

/* Callbacks have no context. */
static const struct snapshot *current;

/* ---- classifying ---- */

static bool read_word(uintptr_t address, uint64_t *word_out)
{
    return snapshot_read(current, address, word_out, sizeof *word_out) == 0;
}

static void feed(const void *start, const void *end, unsigned step_bytes, void *context)
{
    enum root_kind kind = examine_place(start).kind;
    (void)context;
    classify_roots(start, end, step_bytes, kind == ROOT_EPOLL || kind == ROOT_TIMER || kind == ROOT_PINNED);
}

static int classify(void)
{
    static const struct classify_source source = {.read = read_word};
    int result = classify_start(&source);
    if (result == 0)
        result = roots_scan(feed, NULL);
    return result == 0 ? classify_finish() : result;
}

/* ---- about the process ---- */

struct details {
    char path[PATH_BYTES];
    char arguments[ARGUMENTS_BYTES];
};

static ssize_t read_file(const struct target *target, const char *name, char *bytes, size_t room_bytes)
{
    char path[64];
    snprintf(path, sizeof path, "task/%d/%s", (int)target->thread_id, name);
    int descriptor = openat(target->folder, path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t count = 0;
    while (descriptor >= 0 && done < room_bytes && (count = read(descriptor, bytes + done, room_bytes - done)) > 0)
        done += (size_t)count;
    if (descriptor >= 0)
        close(descriptor);
    return count >= 0 ? (ssize_t)done : -1;
}

static int parent_of(const struct target *target)
{
    char text[4096];
    ssize_t length = read_file(target, "status", text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "\nPPid:");
    return line != NULL ? atoi(line + 6) : 0;
}

static void describe_live(const struct snapshot *snapshot, struct details *details, struct report_about *about)
{
    char path[64];
    snprintf(path, sizeof path, "task/%d/exe", (int)snapshot->target.thread_id);
    ssize_t length = readlinkat(snapshot->target.folder, path, details->path, sizeof details->path - 1);
    details->path[length > 0 ? length : 0] = '\0';
    length = read_file(&snapshot->target, "cmdline", details->arguments, sizeof details->arguments - 1);
    about->arguments_bytes = length > 0 ? (size_t)length : 0;
    if (about->arguments_bytes > 0 && details->arguments[about->arguments_bytes - 1] != '\0')
        details->arguments[about->arguments_bytes++] = '\0';
    about->parent_id = parent_of(&snapshot->target);
}

/* The kernel writes the first 15 bytes of the program's name, and where its file was mapped. */
static void describe_core(const struct snapshot *snapshot, struct details *details)
{
    const struct core_file *core = &snapshot->core;
    snprintf(details->path, sizeof details->path, "%s", core->name);
    size_t length = strlen(core->name);
    for (size_t i = 0; i < core->mapping_count && length > 0; i++) {
        const char *file = strrchr(core->mappings[i].name, '/');
        if (file != NULL && strncmp(file + 1, core->name, length) == 0) {
            snprintf(details->path, sizeof details->path, "%s", core->mappings[i].name);
            return;
        }
    }
}

/* ---- time ---- */

static uint32_t newest_of(const struct span *span)
{
    const struct block_record *records = span->columns[COLUMN_STACK];
    uint32_t newest = 0;
    for (uint32_t i = 0; records != NULL && i < span->slot_count; i++)
        newest = records[i].time_ms > newest ? records[i].time_ms : newest;
    return newest;
}

/* On the clock of records. A core does not say; but its newest block was hardly ever allocated long before. */
static uint32_t now_of(const struct snapshot *snapshot)
{
    const struct leak_tables *tables = image_now->leak;
    struct timespec now;
    uint32_t newest = 0;
    if (tables == NULL)
        return 0;
    clock_gettime(tables->lives != NULL ? CLOCK_MONOTONIC : CLOCK_MONOTONIC_COARSE, &now); /* as record.c does */
    if (snapshot->target.core == NULL)
        return (uint32_t)(((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - tables->start_ns) / 1000000);
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        uint32_t one = newest_of(span);
        newest = one > newest ? one : newest;
    }
    return newest;
}

/* ---- all ---- */

static bool thread_name(int thread_id, char name_out[THREAD_NAME_BYTES])
{
    for (size_t i = 0; i < current->thread_count; i++)
        if (current->threads[i].thread_id == thread_id) {
            snprintf(name_out, THREAD_NAME_BYTES, "%.15s", current->threads[i].name);
            return true;
        }
    return false;
}

static int write_to_stream(void *context, const char *bytes, size_t size_bytes)
{
    return fwrite(bytes, 1, size_bytes, context) == size_bytes ? 0 : -ENOMEM;
}

static int write_report(const struct report *report, char **text_out, size_t *length_out)
{
    static struct sink sink;
    FILE *stream = open_memstream(text_out, length_out);
    if (stream == NULL)
        return -ENOMEM;
    sink_start(&sink, write_to_stream, stream);
    report_write_json(report, &sink);
    int result = sink_finish(&sink);
    return fclose(stream) == 0 ? result : -ENOMEM;
}

int snapshot_report(struct snapshot *snapshot, const char *kind, bool all_blocks, char **text_out, size_t *length_out)
{
    static struct report report;
    static struct details details;
    bool is_core = snapshot->target.core != NULL;
    struct report_about about = {
        .kind = kind,
        .moment = is_core ? "core" : "live",
        .process_id = (int)snapshot->target.process_id,
        .path = details.path,
        .arguments = details.arguments,
        .taken_ms = snapshot->taken_ms,
        .now_ms = now_of(snapshot),
        .all_blocks = all_blocks,
        .thread_name = thread_name,
    };
    current = snapshot;
    if (is_core)
        describe_core(snapshot, &details);
    else
        describe_live(snapshot, &details, &about);
    while (about.incomplete_count < snapshot->note_count && about.incomplete_count < REPORT_INCOMPLETE_MAX) {
        about.incomplete[about.incomplete_count] = snapshot->notes[about.incomplete_count];
        about.incomplete_count++;
    }
    int result = classify();
    if (result == 0) {
        result = report_build(&report, &about);
        if (result == 0)
            report_settle(&report);
        if (result == 0)
            result = write_report(&report, text_out, length_out);
        report_drop(&report);
    }
    classify_end();
    return result;
}
