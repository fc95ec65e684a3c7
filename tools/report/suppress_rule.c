#include "tools/report/suppress_rule.h"

#include "tools/report/memory.h"
#include "tools/say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where in the file we are. */
struct reading {
    FILE *stream;
    const char *path;
    size_t line_number;
    char *line; /* without blanks around it */
    char *memory;
    size_t memory_bytes;
};

static bool next_line(struct reading *reading)
{
    ssize_t length = getline(&reading->memory, &reading->memory_bytes, reading->stream);
    if (length < 0)
        return false;
    reading->line_number++;
    char *line = reading->memory;
    char *end = line + strlen(line);
    while (*line == ' ' || *line == '\t')
        line++;
    while (end > line && strchr(" \t\r\n", end[-1]) != NULL)
        *--end = '\0';
    reading->line = line;
    return true;
}

static bool mistake(const struct reading *reading, const char *text)
{
    say_error("%s:%zu: %s", reading->path, reading->line_number, text);
    return false;
}

static struct rule *add_rule(struct rule_list *list, const struct reading *reading)
{
    list->rules = memory_grow(list->rules, list->count, sizeof *list->rules);
    struct rule *rule = &list->rules[list->count++];
    *rule = (struct rule){.blocks_max = UINT64_MAX};
    rule->source = memory_format("%s:%zu", reading->path, reading->line_number);
    return rule;
}

/* "^" and "$" anchor; without them anything may stand around the pattern. */
static char *as_pattern(const char *text)
{
    size_t length = strlen(text);
    bool begins = length > 0 && text[0] == '^';
    bool ends = length > (begins ? 1u : 0u) && text[length - 1] == '$';
    int inner = (int)(length - (begins ? 1 : 0) - (ends ? 1 : 0));
    return memory_format("%s%.*s%s", begins ? "" : "*", inner, text + (begins ? 1 : 0),
                         ends ? "" : "*");
}

/* " max=N" at the end of a line. */
static bool take_maximum(const struct reading *reading, char *text, uint64_t *out)
{
    char *blank = strrchr(text, ' ');
    char *end;
    if (blank == NULL || strncmp(blank + 1, "max=", 4) != 0)
        return true;
    errno = 0;
    unsigned long long value = strtoull(blank + 5, &end, 10);
    if (errno != 0 || *end != '\0' || blank[5] < '0' || blank[5] > '9')
        return mistake(reading, "max= takes a number of blocks");
    *out = value;
    while (blank > text && (blank[-1] == ' ' || blank[-1] == '\t'))
        blank--;
    *blank = '\0';
    return true;
}

static bool read_line_rule(struct rule_list *list, struct reading *reading)
{
    uint64_t blocks_max = UINT64_MAX;
    enum rule_kind kind = strncmp(reading->line, "only:", 5) == 0 ? RULE_ONLY : RULE_LEAK;
    if (kind == RULE_LEAK && strncmp(reading->line, "leak:", 5) != 0)
        return mistake(reading, "a suppression is leak:PATTERN, only:PATTERN or a block in { }");
    char *text = memory_copy(reading->line);
    bool is_right = take_maximum(reading, text, &blocks_max) &&
                    (text[5] != '\0' || mistake(reading, "a pattern is missing"));
    if (is_right) {
        struct rule *rule = add_rule(list, reading);
        rule->kind = kind;
        rule->text = memory_copy(reading->line);
        rule->pattern = as_pattern(text + 5);
        rule->blocks_max = blocks_max;
    }
    free(text);
    return is_right;
}

/* "definite,possible", "all" or "none" */
static bool read_kinds(struct rule *rule, const struct reading *reading, const char *text)
{
    rule->classes = 0;
    for (const char *word = text; *word != '\0';) {
        while (*word == ' ')
            word++;
        size_t length = strcspn(word, ", ");
        enum report_class class = class_named(word, length);
        if (length == 3 && strncmp(word, "all", 3) == 0)
            rule->classes = ~0u;
        else if (class != CLASS_COUNT)
            rule->classes |= 1u << class;
        else if (length != 4 || strncmp(word, "none", 4) != 0)
            return mistake(reading, "match-leak-kinds takes definite, indirect, possible, "
                                    "reachable, all or none");
        word += length;
        word += strspn(word, ", ");
    }
    return true;
}

static bool read_part(struct rule *rule, const struct reading *reading)
{
    static const char *const beginnings[] = {"fun:", "obj:", "src:"};
    struct rule_part part = {.kind = PART_ANY};
    for (enum rule_part_kind kind = PART_FUNCTION; kind <= PART_SOURCE; kind++)
        if (strncmp(reading->line, beginnings[kind], 4) == 0) {
            part.kind = kind;
            part.pattern = memory_copy(reading->line + 4);
        }
    if (part.kind == PART_ANY && strcmp(reading->line, "...") != 0)
        return mistake(reading, "a frame is fun:, obj:, src: or ...");
    rule->parts = memory_grow(rule->parts, rule->part_count, sizeof *rule->parts);
    rule->parts[rule->part_count++] = part;
    return true;
}

/* A file of Valgrind's may hold suppressions of other errors, too: they are passed over. */
static bool is_about_leaks(const char *line)
{
    const char *colon = strchr(line, ':');
    return colon != NULL && strstr(line, "Memcheck") != NULL && strstr(line, "Memcheck") < colon &&
           strcmp(colon + 1, "Leak") == 0;
}

static void drop_last(struct rule_list *list);

/* Between { and }: a name, what it is about, maybe the kinds, frames. */
static bool read_block(struct rule_list *list, struct reading *reading)
{
    struct rule *rule = add_rule(list, reading);
    bool is_leak = true;
    rule->kind = RULE_VALGRIND;
    rule->classes = ~0u;
    for (size_t position = 0; next_line(reading);) {
        if (*reading->line == '\0' || *reading->line == '#')
            continue;
        if (strcmp(reading->line, "}") == 0) {
            if (is_leak && rule->part_count == 0)
                return mistake(reading, "a suppression without frames");
            if (!is_leak)
                drop_last(list);
            return true;
        }
        position++;
        if (position == 1)
            rule->text = memory_copy(reading->line);
        else if (position == 2)
            is_leak = is_about_leaks(reading->line);
        else if (!is_leak)
            continue;
        else if (strncmp(reading->line, "match-leak-kinds:", 17) == 0) {
            if (!read_kinds(rule, reading, reading->line + 17))
                return false;
        } else if (!read_part(rule, reading))
            return false;
    }
    return mistake(reading, "the file ends within { }");
}

bool rule_list_read(struct rule_list *list, const char *path, FILE *stream)
{
    struct reading reading = {.stream = stream, .path = path};
    bool is_right = true;
    while (is_right && next_line(&reading)) {
        if (strcmp(reading.line, "{") == 0)
            is_right = read_block(list, &reading);
        else if (*reading.line != '\0' && *reading.line != '#')
            is_right = read_line_rule(list, &reading);
    }
    free(reading.memory);
    return is_right;
}

static void clear_rule(struct rule *rule)
{
    for (size_t i = 0; i < rule->part_count; i++)
        free(rule->parts[i].pattern);
    free(rule->parts);
    free(rule->text);
    free(rule->source);
    free(rule->pattern);
}

static void drop_last(struct rule_list *list)
{
    clear_rule(&list->rules[--list->count]);
}

void rule_list_free(struct rule_list *list)
{
    while (list->count > 0)
        drop_last(list);
    free(list->rules);
    list->rules = NULL;
}
