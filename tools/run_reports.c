#include "tools/run_reports.h"

#include "tools/preload_env.h"
#include "tools/report/memory.h"
#include "tools/report/quantity.h"
#include "tools/report/render.h"
#include "tools/report/report.h"
#include "tools/report/show.h"
#include "tools/report_folder.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUTS_MAX = 8, EXIT_CODE_DEFAULT = 23 };

/* A file that the user wants. */
struct output {
    enum render_format format;
    bool is_profile; /* all that is held, not leaks only */
    const char *path;
};

struct run_reports {
    bool has_leaks;
    bool has_profile;
    struct show show;
    struct output outputs[OUTPUTS_MAX];
    size_t output_count;
    bool has_folder;
    struct report_folder folder;
    int exit_code; /* instead of 0 when the program itself has lost blocks */
    bool has_lost; /* it has */
    bool has_main; /* there was a report of the program itself */
};

struct run_reports *run_reports_make(void)
{
    struct run_reports *reports = memory_take(1, sizeof *reports);
    show_init(&reports->show);
    reports->show.stream = stderr;
    return reports;
}

static bool add_output(struct run_reports *reports, enum render_format format, bool is_profile,
                       const char *path)
{
    if (reports->output_count == OUTPUTS_MAX) {
        say_error("at most %d files can be written", OUTPUTS_MAX);
        return false;
    }
    reports->outputs[reports->output_count++] = (struct output){format, is_profile, path};
    return true;
}

bool run_reports_take(struct run_reports *reports, int letter, const char *argument,
                      bool *is_wrong_out)
{
    static const enum render_format formats[] = {RENDER_JSON, RENDER_HTML, RENDER_PPROF,
                                                 RENDER_FOLDED, RENDER_SARIF};
    *is_wrong_out = false;
    if (letter < RUN_LEAKS || letter > RUN_SARIF)
        return false;
    reports->has_leaks |= letter != RUN_PROFILE;
    reports->has_profile |= letter == RUN_PROFILE;
    if (letter == RUN_PROFILE)
        *is_wrong_out = !add_output(reports, show_format_of(argument, RENDER_PPROF), true, argument);
    else if (letter == RUN_SUPPRESSIONS)
        show_take(&reports->show, SHOW_SUPPRESSIONS, argument, is_wrong_out);
    else if (letter == RUN_TOP)
        show_take(&reports->show, SHOW_TOP, argument, is_wrong_out);
    else if (letter >= RUN_JSON)
        *is_wrong_out = !add_output(reports, formats[letter - RUN_JSON], false, argument);
    return true;
}

bool run_reports_are_wanted(const struct run_reports *reports)
{
    return reports->has_leaks || reports->has_profile;
}

/* What the library would end the program with is our own status in the end: only here all suppressions are known. */
static void take_exit_code(struct run_reports *reports)
{
    char value[16];
    reports->exit_code = EXIT_CODE_DEFAULT;
    if (preload_env_value("exitcode", value, sizeof value))
        reports->exit_code = atoi(value) & 0xff;
    if (!reports->has_leaks)
        reports->exit_code = 0;
}

static void add_shared(struct run_reports *reports, const char *path, size_t length)
{
    char *copy = memory_format("%.*s", (int)length, path);
    if (length > 0)
        suppressions_add_shared_file(reports->show.suppressions, copy);
    free(copy);
}

/*
 * The library applies these itself, as far as it knows names: those that the dynamic linker knows. Here all are known. What
 * is wrong in them is no reason not to run the program.
 */
static void add_suppressions_of_library(struct run_reports *reports)
{
    static const char word[] = "suppressions=";
    char files[REPORT_PATH_BYTES];
    if (preload_env_value("suppressions", files, sizeof files))
        for (const char *path = files; *path != '\0'; path += path[0] == ':') {
            size_t length = strcspn(path, ":");
            add_shared(reports, path, length);
            path += length;
        }
    const char *sanitizer = getenv("LSAN_OPTIONS");
    const char *found = sanitizer != NULL ? strstr(sanitizer, word) : NULL;
    if (found != NULL)
        add_shared(reports, found + strlen(word), strcspn(found + strlen(word), ":, \t\n"));
}

int run_reports_prepare(struct run_reports *reports)
{
    char options[REPORT_PATH_BYTES + 64];
    int result = report_folder_make(&reports->folder);
    if (result != 0)
        return result;
    reports->has_folder = true;
    take_exit_code(reports);
    add_suppressions_of_library(reports);
    snprintf(options, sizeof options, "leaks,exitcode=0,%sreport_file=%s/report.%%p",
             reports->has_profile ? "report_all,lifetimes," : "", reports->folder.path);
    return preload_env_add_options(options);
}

/* A file of a child of the program's has its number before the ending: "leaks.4711.html". */
static char *path_for(const struct output *output, const struct report *report, bool is_main)
{
    const char *name = text_base_name(output->path);
    const char *dot = strchr(name[0] == '.' ? name + 1 : name, '.');
    if (is_main)
        return memory_copy(output->path);
    if (dot == NULL)
        dot = name + strlen(name);
    return memory_format("%.*s.%lld%s", (int)(dot - output->path), output->path,
                         (long long)report->process_id, dot);
}

static void write_outputs(struct run_reports *reports, struct report *report, bool is_main)
{
    for (size_t i = 0; i < reports->output_count; i++) {
        const struct output *output = &reports->outputs[i];
        char *path = path_for(output, report, is_main);
        struct show show = reports->show;
        show.format = output->format;
        show.has_format = true;
        show.output = path;
        report->is_snapshot = output->is_profile;
        show_one_of_many(&show, report);
        report->is_snapshot = false;
        free(path);
    }
}

static bool has_findings(const struct report *report)
{
    for (size_t i = 0; i < report->record_count; i++)
        if (report_is_leak(&report->records[i]))
            return true;
    return false;
}

/* What the program itself has lost, not what it got from a parent that was forked. */
static bool has_lost(const struct report *report)
{
    for (size_t i = 0; i < report->record_count; i++)
        if (report->records[i].class == CLASS_DEFINITE && !report->records[i].is_inherited)
            return true;
    return false;
}

static void say_no_leaks(const struct report *report)
{
    const struct report_amount *suppressed = &report->totals[CLASS_SUPPRESSED];
    fputs("gcalloc: no leaks of ", stderr);
    render_safe(stderr, report_program_name(report));
    fprintf(stderr, " (process %lld)", (long long)report->process_id);
    if (suppressed->blocks > 0)
        fprintf(stderr, "; suppressed %s in %s %s", quantity_bytes(suppressed->bytes).text,
                quantity_count(suppressed->blocks).text, quantity_blocks(suppressed->blocks));
    putc('\n', stderr);
}

static void show_text(struct run_reports *reports, struct report *report, bool is_main)
{
    struct show show = reports->show;
    if (has_findings(report) || report->incomplete_count > 0)
        show_one_of_many(&show, report);
    else if (is_main && strcmp(report->moment, "exec") != 0)
        say_no_leaks(report);
}

static void show_file(struct run_reports *reports, const char *path)
{
    struct report *report = report_read(path);
    if (report == NULL)
        return;
    bool is_main = report->parent_process_id == getpid();
    bool is_last = strcmp(report->moment, "exec") != 0;
    show_apply(&reports->show, report);
    if (reports->has_leaks)
        show_text(reports, report, is_main);
    if (is_last && (is_main || has_findings(report)))
        write_outputs(reports, report, is_main);
    if (is_main && is_last) {
        reports->has_main = true;
        reports->has_lost = has_lost(report);
    }
    report_free(report);
}

static void say_why_none(const char *program, const char *hindrance, int wait_status)
{
    if (hindrance != NULL)
        say("no report of leaks: %s is %s", program, hindrance);
    else if (WIFSIGNALED(wait_status))
        say("no report of leaks: %s was killed by signal %d (%s)", program, WTERMSIG(wait_status),
            strsignal(WTERMSIG(wait_status)));
    else
        say("no report of leaks: %s never loaded the library, has entered a sandbox (seccomp), or ended in a way that the "
            "library could not see",
            program);
}

int run_reports_finish(struct run_reports *reports, const char *program, const char *hindrance,
                       int wait_status)
{
    size_t count;
    char **files = report_folder_files(&reports->folder, &count);
    for (size_t i = 0; i < count; i++) {
        show_file(reports, files[i]);
        free(files[i]);
    }
    free(files);
    if (!reports->has_main)
        say_why_none(program, hindrance, wait_status);
    else if (reports->has_leaks)
        suppressions_say_unused(reports->show.suppressions);
    bool is_replaced = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 && reports->has_lost;
    int status = is_replaced ? W_EXITCODE(reports->exit_code, 0) : wait_status;
    run_reports_drop(reports);
    return status;
}

void run_reports_drop(struct run_reports *reports)
{
    if (reports->has_folder)
        report_folder_remove(&reports->folder);
    show_free(&reports->show);
    free(reports);
}
