/*
 * leak/suppress: which leaks are not to be reported.
 *
 * A rule is a kind, what it is about, and a run of zero-ended patterns. All of them lie in two arrays that grow; they hold no
 * addresses of blocks, so it does not matter that scans of the roots see them.
 *
 * Uses os, base. Locks: none; read before there is a second thread, used by one report at a time.
 */
#include "leak/suppress.h"

#include "base/image.h"
#include "base/message.h"
#include "leak/names.h"
#include "leak/pattern.h"
#include "leak/stacks.h"
#include "os/output.h"

#include <errno.h>
#include <string.h>

enum rule_kind { RULE_LEAK, RULE_ONLY, RULE_VALGRIND };

enum { CLASSES_ALL = (1 << LEAK_DEFINITE) | (1 << LEAK_POSSIBLE) | (1 << LEAK_INDIRECT) };

struct rule {
    enum rule_kind kind;
    size_t text;   /* places in `texts` */
    size_t source;
    uint32_t line;
    uint64_t blocks; /* suppressed in the last report */
    uint64_t bytes;
    uint32_t classes;  /* a bit for each it is about */
    size_t first;      /* of its patterns, from `texts` */
    size_t count;
    uint64_t limit; /* blocks it lets pass; UINT64_MAX: all */
};

static struct grown rules;
static size_t rule_count;
static struct grown texts; /* zero-ended, one behind the other */
static size_t texts_used;
static bool has_only;

static struct rule *rule_at(size_t index)
{
    return (struct rule *)rules.start + index;
}

/* ---- reading ---- */

struct input {
    const char *next;
    const char *end;
    size_t source; /* a copy's place */
    uint32_t line;
};

struct slice {
    const char *bytes;
    size_t length;
};

/* The next line without blanks around it. False at the end. */
static bool next_line(struct input *input, struct slice *line_out)
{
    if (input->next == input->end)
        return false;
    const char *newline = memchr(input->next, '\n', (size_t)(input->end - input->next));
    const char *end = newline != NULL ? newline : input->end;
    const char *start = input->next;
    input->next = newline != NULL ? newline + 1 : input->end;
    input->line++;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    *line_out = (struct slice){start, (size_t)(end - start)};
    return true;
}

static bool begins_with(struct slice slice, const char *word)
{
    return slice.length >= strlen(word) && memcmp(slice.bytes, word, strlen(word)) == 0;
}

/* Where the copy begins, from the start of `texts`; SIZE_MAX without memory. */
static size_t keep(struct slice slice)
{
    if (grown_need(&texts, texts_used + slice.length + 1) != 0)
        return SIZE_MAX;
    size_t place = texts_used;
    memcpy((char *)texts.start + place, slice.bytes, slice.length);
    ((char *)texts.start)[place + slice.length] = '\0';
    texts_used += slice.length + 1;
    return place;
}

static struct rule *add_rule(const struct input *input, enum rule_kind kind)
{
    if (grown_need(&rules, (rule_count + 1) * sizeof(struct rule)) != 0)
        return NULL;
    struct rule *rule = rule_at(rule_count++);
    *rule = (struct rule){.kind = kind, .classes = CLASSES_ALL, .first = texts_used, .limit = UINT64_MAX};
    rule->source = input->source;
    rule->line = input->line;
    return rule;
}

/* Takes " max=N" off the end. */
static uint64_t take_limit(struct slice *line)
{
    static const char word[] = " max=";
    size_t at = line->length;
    uint64_t number = 0;
    uint64_t factor = 1;
    while (at > 0 && line->bytes[at - 1] >= '0' && line->bytes[at - 1] <= '9') {
        number += factor * (uint64_t)(line->bytes[--at] - '0');
        factor *= 10;
    }
    size_t length = sizeof word - 1;
    if (at == line->length || at < length || memcmp(line->bytes + at - length, word, length) != 0)
        return UINT64_MAX;
    line->length = at - length;
    return number;
}

static int read_line(const struct input *input, struct slice line)
{
    bool is_only = begins_with(line, "only:");
    struct rule *rule = add_rule(input, is_only ? RULE_ONLY : RULE_LEAK);
    if (rule == NULL)
        return -ENOMEM;
    rule->text = keep(line); /* the whole line, for reports; then the pattern */
    rule->limit = take_limit(&line);
    rule->first = keep((struct slice){line.bytes + 5, line.length - 5});
    rule->count = 1;
    has_only |= is_only;
    return rule->text == SIZE_MAX || rule->first == SIZE_MAX ? -ENOMEM : 0;
}

static uint32_t classes_in(struct slice line)
{
    static const struct {
        const char *name;
        uint32_t classes;
    } names[] = {{"definite", 1 << LEAK_DEFINITE},
                 {"indirect", 1 << LEAK_INDIRECT},
                 {"possible", 1 << LEAK_POSSIBLE},
                 {"reachable", 1 << LEAK_REACHABLE},
                 {"all", CLASSES_ALL}};
    uint32_t classes = 0;
    for (size_t at = 0; at < line.length; at++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (begins_with((struct slice){line.bytes + at, line.length - at}, names[i].name))
                classes |= names[i].classes;
    return classes;
}

/* From behind its opening brace to its closing one. Rules about something else than leaks are left out. */
static int read_braces(struct input *input)
{
    struct slice line = {NULL, 0};
    struct rule *rule = add_rule(input, RULE_VALGRIND);
    bool is_about_leaks = false;
    int result = rule == NULL ? -ENOMEM : 0;
    size_t name = next_line(input, &line) && result == 0 ? keep(line) : SIZE_MAX;
    if (name == SIZE_MAX)
        return -ENOMEM;
    rule->text = name;
    rule->first = texts_used;
    while (result == 0 && next_line(input, &line) && !begins_with(line, "}")) {
        if (begins_with(line, "Memcheck:") || begins_with(line, "Addrcheck:"))
            is_about_leaks = begins_with(line, "Memcheck:Leak");
        else if (begins_with(line, "match-leak-kinds:"))
            rule->classes = classes_in(line);
        else if (begins_with(line, "fun:") || begins_with(line, "obj:") || begins_with(line, "...")) {
            result = keep(line) == SIZE_MAX ? -ENOMEM : 0;
            rule->count++;
        }
    }
    if (!is_about_leaks || rule->count == 0)
        rule_count--;
    return result;
}

int suppress_add_text(const char *text, size_t length, const char *source)
{
    struct input input = {text, text + length, keep((struct slice){source, strlen(source)}), 0};
    struct slice line;
    int result = input.source == SIZE_MAX ? -ENOMEM : 0;
    while (result == 0 && next_line(&input, &line)) {
        if (line.length == 0 || line.bytes[0] == '#')
            continue;
        if (begins_with(line, "leak:") || begins_with(line, "only:"))
            result = read_line(&input, line);
        else if (begins_with(line, "{"))
            result = read_braces(&input);
        else
            message_warn("%s, line %u: not a suppression", source, input.line);
    }
    return result;
}

int suppress_add_file(const char *path)
{
    size_t size_bytes;
    const char *bytes = os_map_file(path, &size_bytes);
    if (bytes == NULL)
        return -ENOENT;
    int result = suppress_add_text(bytes, size_bytes, path);
    os_unmap_file(bytes, size_bytes);
    return result;
}

/* ---- matching ---- */

static const char *text_at(size_t place)
{
    return (const char *)texts.start + place;
}

static bool names_match(const char *pattern, const char *symbol, bool (*matches)(const char *, const char *))
{
    char plain[NAME_BYTES];
    return symbol[0] != '\0' && (matches(pattern, symbol) || (names_plain(symbol, plain) && matches(pattern, plain)));
}

/* The pattern is found in the name of some frame's function or file. */
static bool is_somewhere(const struct leak_tables *tables, const struct stack *stack, const char *pattern)
{
    for (uint32_t i = 0; i < stack->frame_count; i++)
        if (names_match(pattern, names_function(tables, stack->frames[i]), pattern_is_in) ||
            pattern_is_in(pattern, names_module(tables, stack->frames[i])))
            return true;
    return false;
}

/* Our stacks begin with who called the allocator; Valgrind's, and so its rules, with the allocator. */
static bool is_allocator(const char *line)
{
    static const char *const names[] = {"malloc", "calloc", "realloc", "memalign", "posix_memalign", "aligned_alloc",
                                        "_Znwm",  "_Znam",  "valloc",  "_ZnwmSt11align_val_t"};
    for (size_t i = 0; begins_with((struct slice){line, strlen(line)}, "fun:") && i < sizeof names / sizeof names[0]; i++)
        if (pattern_is_all(line + 4, names[i]))
            return true;
    return false;
}

static bool frame_matches(const struct leak_tables *tables, uint64_t frame, const char *line)
{
    if (line[0] == 'o')
        return pattern_is_all(line + 4, names_module(tables, frame));
    return names_match(line + 4, names_function(tables, frame), pattern_is_all);
}

/* The lines are a beginning of the stack; "..." is any number of frames. Goes back to the last such line only. */
static bool lines_match(const struct leak_tables *tables, const struct stack *stack, const char *line, size_t count)
{
    const char *rest = NULL;
    size_t rest_count = 0;
    uint32_t rest_frame = 0;
    uint32_t frame = 0;
    for (;;) {
        if (count == 0)
            return true;
        if (line[0] == '.') {
            line += strlen(line) + 1;
            rest = line;
            rest_count = --count;
            rest_frame = frame;
        } else if (frame < stack->frame_count && frame_matches(tables, stack->frames[frame], line)) {
            line += strlen(line) + 1;
            count--;
            frame++;
        } else if (rest != NULL && rest_frame < stack->frame_count) {
            line = rest;
            count = rest_count;
            frame = ++rest_frame;
        } else {
            return false;
        }
    }
}

static bool rule_matches(const struct rule *rule, const struct stack *stack)
{
    const struct leak_tables *tables = image_now->leak;
    const char *line = text_at(rule->first);
    if (rule->kind != RULE_VALGRIND)
        return is_somewhere(tables, stack, line);
    if (is_allocator(line) && lines_match(tables, stack, line + strlen(line) + 1, rule->count - 1))
        return true;
    return lines_match(tables, stack, line, rule->count);
}

static bool is_about(const struct rule *rule, const struct report_record *record)
{
    return (rule->classes >> record->class & 1) != 0;
}

/* The rule that suppresses the record, or NULL; *passes_out when some "only" rule is for it. */
static struct rule *find_rule(const struct report_record *record, const struct stack *stack, bool *passes_out)
{
    for (size_t i = 0; i < rule_count; i++) {
        struct rule *rule = rule_at(i);
        if (!is_about(rule, record) || !rule_matches(rule, stack))
            continue;
        if (rule->kind == RULE_ONLY)
            *passes_out = true;
        else if (record->own.blocks <= rule->limit)
            return rule;
    }
    return NULL;
}

static void apply_to(struct report_record *record)
{
    const struct leak_tables *tables = image_now->leak;
    static struct stack frames;
    const struct stack *stack = tables != NULL ? stacks_get(tables->stacks, record->stack, &frames) : NULL;
    bool passes = !has_only;
    struct rule *rule = stack != NULL ? find_rule(record, stack, &passes) : NULL;
    if (rule == NULL && passes)
        return;
    if (rule != NULL) {
        rule->blocks += record->own.blocks;
        rule->bytes += record->own.bytes;
    }
    record->class = LEAK_SUPPRESSED;
}

void suppress_apply(struct report *report)
{
    for (size_t i = 0; i < rule_count; i++)
        rule_at(i)->blocks = rule_at(i)->bytes = 0;
    if (rule_count == 0)
        return;
    for (uint32_t i = 0; i < report->record_count; i++) {
        struct report_record *record = &report_records(report)[i];
        if (record->class == LEAK_DEFINITE || record->class == LEAK_POSSIBLE)
            apply_to(record);
    }
    names_drop();
}

/* ---- from outside ---- */

static struct suppression public_of(const struct rule *rule)
{
    return (struct suppression){
        .text = text_at(rule->text),
        .source = text_at(rule->source),
        .line = rule->line,
        .blocks = rule->blocks,
        .bytes = rule->bytes,
    };
}

void suppress_each(void (*visit)(const struct suppression *suppression, void *context), void *context)
{
    for (size_t i = 0; i < rule_count; i++) {
        struct suppression public = public_of(rule_at(i));
        visit(&public, context);
    }
}

void suppress_warn_unused(void)
{
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *rule = rule_at(i);
        struct suppression public = public_of(rule);
        if (rule->kind != RULE_ONLY && public.blocks == 0)
            message_warn("%s, line %u: no leak matches the suppression %s", public.source, public.line, public.text);
    }
}
