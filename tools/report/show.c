#include "tools/report/show.h"

#include "tools/report/changes.h"
#include "tools/report/memory.h"
#include "tools/report/progress.h"
#include "tools/report/render.h"
#include "tools/report/report.h"
#include "tools/say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOP_DEFAULT = 20 };

void show_init(struct show *show)
{
    *show = (struct show){.format = RENDER_TEXT, .top = TOP_DEFAULT, .root = "", .stream = stdout};
    show->suppressions = suppressions_make();
}

void show_free(struct show *show)
{
    suppressions_free(show->suppressions);
    show->suppressions = NULL;
}

static bool take_top(struct show *show, const char *argument)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(argument, &end, 10);
    if (errno != 0 || *end != '\0' || *argument < '0' || *argument > '9') {
        say_error("--top takes a number, not \"%s\"", argument);
        return false;
    }
    show->top = value;
    return true;
}

static bool take_classes(struct show *show, const char *argument)
{
    show->classes = 0;
    for (const char *word = argument;; word++) {
        size_t length = strcspn(word, ",");
        enum report_class class = class_named(word, length);
        if (length == 3 && strncmp(word, "all", 3) == 0) {
            show->classes = ~0u;
        } else if (class == CLASS_COUNT) {
            say_error("no class \"%.*s\"; there are definite, indirect, possible, kernel, "
                      "reachable, suppressed, reclaimed and all",
                      (int)length, word);
            return false;
        } else {
            show->classes |= 1u << class;
        }
        word += length;
        if (*word == '\0')
            return true;
    }
}

bool show_take(struct show *show, int letter, const char *argument, bool *is_wrong_out)
{
    *is_wrong_out = false;
    if (letter >= SHOW_TEXT && letter <= SHOW_GEN_SUPPRESSIONS) {
        show->format = RENDER_TEXT + (enum render_format)(letter - SHOW_TEXT);
        show->has_format = true;
    } else if (letter == 'o')
        show->output = argument;
    else if (letter == SHOW_SUPPRESSIONS)
        *is_wrong_out = !suppressions_add_file(show->suppressions, argument);
    else if (letter == SHOW_TOP)
        *is_wrong_out = !take_top(show, argument);
    else if (letter == SHOW_CLASS)
        *is_wrong_out = !take_classes(show, argument);
    else if (letter == SHOW_FULL)
        show->is_full = true;
    else if (letter == SHOW_BLOCKS)
        show->by_blocks = true;
    else
        return false;
    return true;
}

static bool find_format(const char *path, enum render_format *format_out)
{
    static const struct {
        const char *end;
        enum render_format format;
    } ends[] = {
        {".json", RENDER_JSON},   {".html", RENDER_HTML},     {".htm", RENDER_HTML},
        {".pb.gz", RENDER_PPROF}, {".pprof", RENDER_PPROF},   {".folded", RENDER_FOLDED},
        {".sarif", RENDER_SARIF}, {".supp", RENDER_SUPPRESSIONS}, {".txt", RENDER_TEXT},
        {".text", RENDER_TEXT},   {".log", RENDER_TEXT},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (text_ends_with(path, ends[i].end)) {
            *format_out = ends[i].format;
            return true;
        }
    return false;
}

enum render_format show_format_of(const char *path, enum render_format otherwise)
{
    find_format(path, &otherwise);
    return otherwise;
}

bool show_is_clear(const struct show *show)
{
    enum render_format format;
    const char *name = show->output != NULL ? text_base_name(show->output) : "";
    const char *ending = strrchr(name, '.');
    if (show->has_format || ending == NULL || ending == name || find_format(name, &format))
        return true;
    say_error("no form goes by the ending of %s: add --text, --json, --html, --pprof, --folded or --sarif", show->output);
    return false;
}

static enum render_format format_of(const struct show *show)
{
    if (show->has_format || show->output == NULL)
        return show->format;
    return show_format_of(show->output, show->format);
}

bool show_is_colored(FILE *stream)
{
    const char *no = getenv("NO_COLOR");
    const char *type = getenv("TERM");
    return isatty(fileno(stream)) && (no == NULL || *no == '\0') && type != NULL &&
           strcmp(type, "dumb") != 0;
}

FILE *show_open_output(const struct show *show)
{
    if (show->output == NULL || strcmp(show->output, "-") == 0) {
        if (format_of(show) != RENDER_PPROF || !isatty(fileno(show->stream)))
            return show->stream;
        say_error("a profile for pprof is binary: name a file with -o");
        return NULL;
    }
    FILE *stream = fopen(show->output, "we");
    if (stream == NULL)
        say_error("%s: %m", show->output);
    return stream;
}

int show_close_output(const struct show *show, FILE *stream)
{
    bool has_failed = fflush(stream) != 0 || ferror(stream);
    int error = errno;
    if (stream != show->stream)
        has_failed |= fclose(stream) != 0;
    if (!has_failed)
        return STATUS_DONE;
    say_error("%s: %s", stream == show->stream ? "standard output" : show->output, strerror(error));
    return STATUS_FAILED;
}

static struct render render_of(const struct show *show, FILE *stream, struct report *report,
                               struct names *names)
{
    suppressions_apply(show->suppressions, report, names);
    return (struct render){
        .out = stream,
        .report = report,
        .names = names,
        .suppressions = show->suppressions,
        .classes = show->classes,
        .top = show->top,
        .is_colored = show_is_colored(stream),
        .is_full = show->is_full,
        .by_blocks = show->by_blocks,
    };
}

void show_apply(struct show *show, struct report *report)
{
    struct symbols *symbols = symbols_open(show->root);
    struct names *names = names_make(report, symbols);
    suppressions_apply(show->suppressions, report, names);
    names_free(names);
    symbols_close(symbols);
}

int show_one_of_many(struct show *show, struct report *report)
{
    FILE *stream = show_open_output(show);
    if (stream == NULL)
        return STATUS_FAILED;
    struct symbols *symbols = symbols_open(show->root);
    struct names *names = names_make(report, symbols);
    struct render render = render_of(show, stream, report, names);
    int result = render_report(&render, format_of(show));
    progress_end();
    int status = show_close_output(show, stream);
    names_say_problems(names);
    names_free(names);
    symbols_close(symbols);
    return result != 0 ? STATUS_FAILED : status;
}

int show_report(struct show *show, struct report *report)
{
    int status = show_one_of_many(show, report);
    suppressions_say_unused(show->suppressions);
    return status;
}

int show_changes(struct show *show, struct report *before, struct report *after)
{
    FILE *stream = show_open_output(show);
    if (stream == NULL)
        return STATUS_FAILED;
    struct symbols *symbols = symbols_open(show->root);
    struct names *names_before = names_make(before, symbols);
    struct names *names_after = names_make(after, symbols);
    struct render first = render_of(show, stream, before, names_before);
    struct render second = render_of(show, stream, after, names_after);
    struct changes changes = changes_make(&first, &second);
    int result = changes_render(&changes, format_of(show));
    progress_end();
    int status = show_close_output(show, stream);
    names_say_problems(names_after);
    suppressions_say_unused(show->suppressions);
    changes_free(&changes);
    names_free(names_before);
    names_free(names_after);
    symbols_close(symbols);
    return result != 0 ? STATUS_FAILED : status;
}

int show_json(struct show *show, const char *json, size_t length, const char *name)
{
    struct report *report = report_parse(json, length, name);
    if (report == NULL)
        return STATUS_FAILED;
    int status = show_report(show, report);
    report_free(report);
    return status;
}

int render_report(const struct render *render, enum render_format format)
{
    static int (*const renderers[])(const struct render *) = {
        [RENDER_TEXT] = render_text,
        [RENDER_JSON] = render_json,
        [RENDER_HTML] = render_html,
        [RENDER_PPROF] = render_pprof,
        [RENDER_FOLDED] = render_folded,
        [RENDER_SARIF] = render_sarif,
        [RENDER_SUPPRESSIONS] = render_suppressions,
    };
    return renderers[format](render);
}
