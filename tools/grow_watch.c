/*
 * tools/grow_watch: the looks that `gcalloc grow` takes.
 *
 * Each look is a snapshot, made into a report and read back; kept is only, by the id of each place, how much there was.
 */
#include "tools/grow_watch.h"

#include "tools/report/memory.h"
#include "tools/report/names.h"
#include "tools/report/quantity.h"
#include "tools/report/render.h"
#include "tools/say.h"
#include "tools/snapshot_report.h"
#include "tools/subject.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LABELS = 3 };

/* What is known of a place from the looks so far. */
struct place {
    char id[24];
    uint64_t bytes;
    uint64_t blocks;
    int64_t grown_bytes; /* since the look before */
    int64_t grown_blocks;
    bool is_estimate;
    unsigned long growths; /* looks at which there was more than at the one before */
    unsigned long looks;   /* since it was first seen, without that one */
    const struct report_record *record; /* of the look under way */
};

struct watch {
    const struct grow_request *request;
    struct place *places; /* by id */
    size_t place_count;
    uint64_t bytes, blocks; /* all there is */
    int64_t grown_bytes;
    unsigned long looks;
    double last_s;
    int process; /* becomes readable when the process ends, or -1 */
    struct symbols *symbols;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- adding up ---- */

static int compare_ids(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return strcmp(a->id, b->id);
}

/* The places of this look alone, each once, by id. */
static struct place *places_of(const struct report *report, size_t *count_out)
{
    struct place *places = memory_take(report->record_count + 1, sizeof *places);
    for (size_t i = 0; i < report->record_count; i++) {
        const struct report_record *record = &report->records[i];
        snprintf(places[i].id, sizeof places[i].id, "%s", record->id);
        places[i].bytes = record->own.bytes;
        places[i].blocks = record->own.blocks;
        places[i].is_estimate = record->is_estimate;
        places[i].record = record;
    }
    qsort(places, report->record_count, sizeof *places, compare_ids);
    size_t count = 0;
    for (size_t i = 0; i < report->record_count; i++) {
        if (count > 0 && strcmp(places[count - 1].id, places[i].id) == 0) {
            places[count - 1].bytes += places[i].bytes;
            places[count - 1].blocks += places[i].blocks;
            places[count - 1].is_estimate |= places[i].is_estimate;
        } else {
            places[count++] = places[i];
        }
    }
    *count_out = count;
    return places;
}

static void compare_places(struct watch *watch, struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct place *place = &places[i];
        const struct place *before =
            watch->place_count == 0 ? NULL : bsearch(place, watch->places, watch->place_count, sizeof *place, compare_ids);
        place->grown_bytes = (int64_t)place->bytes - (before != NULL ? (int64_t)before->bytes : 0);
        place->grown_blocks = (int64_t)place->blocks - (before != NULL ? (int64_t)before->blocks : 0);
        place->looks = before != NULL ? before->looks + 1 : 1;
        place->growths = (before != NULL ? before->growths : 0) + (place->grown_bytes > 0);
    }
}

/* Exact, where places are estimates. */
static void take_totals(struct watch *watch, const struct report *report)
{
    uint64_t bytes = 0, blocks = 0;
    for (enum report_class class = 0; class < CLASS_COUNT; class++) {
        bytes += class != CLASS_RECLAIMED ? report->totals[class].bytes : 0;
        blocks += class != CLASS_RECLAIMED ? report->totals[class].blocks : 0;
    }
    watch->grown_bytes = (int64_t)bytes - (int64_t)watch->bytes;
    watch->bytes = bytes;
    watch->blocks = blocks;
}

/* ---- showing ---- */

/* Steady growth first, then what grew most. */
static int compare_growth(const void *left, const void *right)
{
    const struct place *a = *(struct place *const *)left, *b = *(struct place *const *)right;
    unsigned long a_steady = a->growths * b->looks, b_steady = b->growths * a->looks;
    if (a_steady != b_steady)
        return a_steady > b_steady ? -1 : 1;
    return (a->grown_bytes < b->grown_bytes) - (a->grown_bytes > b->grown_bytes);
}

static void print_label(const struct report *report, struct names *names, const struct report_record *record)
{
    struct trace trace = names_trace(names, record->stack, true);
    for (size_t i = 0; i < trace.count && i < LABELS; i++) {
        char *label = names_label(report, &trace.frames[i]);
        fputs(i == 0 ? "" : " < ", stdout);
        render_safe(stdout, label);
        free(label);
    }
    if (trace.count == 0)
        printf("%s of %llu to %llu bytes, %s", quantity_blocks(2), (unsigned long long)record->size_min,
               (unsigned long long)record->size_max, report->sample_bytes > 0 ? "no sample" : "no stack");
    putchar('\n');
    free(trace.frames);
}

static void print_place(const struct place *place, double seconds, const struct report *report, struct names *names)
{
    double rate = (double)place->grown_bytes / seconds;
    printf("%11s %10s/s %s%11s %9s %5lu/%-4lu ", quantity_bytes_change(place->grown_bytes).text,
           quantity_bytes((uint64_t)rate).text, place->is_estimate ? "~" : " ", quantity_bytes(place->bytes).text,
           quantity_count(place->blocks).text, place->growths, place->looks);
    print_label(report, names, place->record);
}

static void show(const struct watch *watch, const struct report *report, struct place *places, size_t count, double seconds)
{
    struct place **grown = memory_take(count + 1, sizeof(struct place *));
    size_t grown_count = 0;
    for (size_t i = 0; i < count; i++)
        if (places[i].grown_bytes > 0)
            grown[grown_count++] = &places[i];
    qsort(grown, grown_count, sizeof(struct place *), compare_growth);
    printf("gcalloc: heap of %s (process %d): %s in %s blocks, %s in %.1f s\n", report_program_name(report),
           (int)watch->request->process_id, quantity_bytes(watch->bytes).text, quantity_count(watch->blocks).text,
           quantity_bytes_change(watch->grown_bytes).text, seconds);
    struct names *names = names_make(report, watch->symbols);
    if (grown_count != 0)
        printf("%11s %12s  %11s %9s %10s %s\n", "GREW", "RATE", "NOW", "BLOCKS", "LOOKS", "PLACE");
    for (size_t i = 0; i < grown_count && i < watch->request->top; i++)
        print_place(grown[i], seconds, report, names);
    if (grown_count > watch->request->top)
        printf("            and %zu more places\n", grown_count - watch->request->top);
    putchar('\n');
    names_free(names);
    free(grown);
}

/* What was there at first has grown in no look. */
static void begin(const struct watch *watch, const struct report *report, struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        places[i].growths = places[i].looks = 0;
    printf("gcalloc: heap of %s (process %d): %s in %s blocks; more in %g s\n\n", report_program_name(report),
           (int)watch->request->process_id, quantity_bytes(watch->bytes).text, quantity_count(watch->blocks).text,
           watch->request->every_s);
}

/* ---- looking ---- */

static struct report *take_report(const struct watch *watch, int *status_out)
{
    static struct snapshot snapshot;
    char subject[16];
    char *text = NULL;
    size_t length = 0;
    snprintf(subject, sizeof subject, "%d", (int)watch->request->process_id);
    *status_out = subject_open(subject, "grow", watch->request->arguments, &snapshot);
    if (*status_out != STATUS_DONE)
        return NULL;
    int result = snapshot_report(&snapshot, "snapshot", true, &text, &length);
    subject_close(&snapshot);
    struct report *report = result == 0 ? report_parse(text, length, "the look") : NULL;
    if (result != 0)
        say_error("process %s: %s", subject, target_problem(result));
    if (report != NULL)
        report->owned_text = text;
    else
        free(text);
    *status_out = report != NULL ? STATUS_DONE : STATUS_FAILED;
    return report;
}

static int look(struct watch *watch)
{
    int status;
    double before_s = watch->last_s;
    watch->last_s = now_s();
    struct report *report = take_report(watch, &status);
    if (report == NULL)
        return status;
    size_t count;
    struct place *places = places_of(report, &count);
    compare_places(watch, places, count);
    take_totals(watch, report);
    if (watch->looks++ > 0)
        show(watch, report, places, count, watch->last_s - before_s);
    else
        begin(watch, report, places, count);
    free(watch->places);
    watch->places = places;
    watch->place_count = count;
    report_free(report);
    return fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
}

/* False when the process has ended. */
static bool wait_for_next(const struct watch *watch)
{
    double left_s = watch->last_s + watch->request->every_s - now_s();
    struct pollfd process = {.fd = watch->process, .events = POLLIN};
    return poll(&process, 1, left_s > 0 ? (int)(left_s * 1000) : 0) <= 0;
}

int grow_watch(const struct grow_request *request)
{
    struct watch watch = {.request = request, .symbols = symbols_open("")};
    watch.process = (int)syscall(SYS_pidfd_open, request->process_id, 0);
    int status = look(&watch);
    bool is_gone = false;
    while (status == STATUS_DONE && (request->count == 0 || watch.looks <= request->count)) {
        is_gone = !wait_for_next(&watch);
        if (is_gone)
            break;
        status = look(&watch);
    }
    if (is_gone)
        say("process %d has ended", (int)request->process_id);
    symbols_close(watch.symbols);
    free(watch.places);
    return is_gone && request->count != 0 ? STATUS_FAILED : status;
}
