/*
 * base/options: GCALLOC_OPTIONS, parsed once from the table in options.def.
 *
 * Uses os. Locks: none; written once, before a second thread can ask.
 */
#include "base/options.h"

#include "base/compiler.h"
#include "base/message.h"
#include "base/options_lsan.h"
#include "os/environment.h"

#include <stdbool.h>
#include <string.h>

/* A piece of the option text; not ended by a zero byte. */
struct slice {
    const char *bytes;
    size_t length;
};

static bool slice_is(struct slice slice, const char *word)
{
    return strlen(word) == slice.length && memcmp(slice.bytes, word, slice.length) == 0;
}

static bool slice_is_any(struct slice slice, const char (*words)[6], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(slice, words[i]))
            return true;
    return false;
}

static const char *parse_bool(struct slice value, uint64_t *value_out)
{
    static const char yes[][6] = {"1", "yes", "on", "true"};
    static const char no[][6] = {"0", "no", "off", "false"};
    bool is_yes = slice_is_any(value, yes, sizeof yes / sizeof *yes);
    if (!is_yes && !slice_is_any(value, no, sizeof no / sizeof *no))
        return "neither yes nor no";
    *value_out = is_yes;
    return NULL;
}

/* "", "K", "KB", "KiB" and so on, in either case: how often to multiply by 1024, or -1. */
static int size_suffix(struct slice suffix)
{
    static const char letters[] = "kmgt";
    if (suffix.length == 0)
        return 0;
    const char *letter = memchr(letters, suffix.bytes[0] | 0x20, 4);
    if (letter == NULL)
        return -1;
    struct slice rest = {suffix.bytes + 1, suffix.length - 1};
    static const char endings[][6] = {"", "B", "b", "iB", "ib"};
    return slice_is_any(rest, endings, sizeof endings / sizeof *endings) ? (int)(letter - letters) + 1 : -1;
}

static const char *parse_number(struct slice value, const struct option_row *option, uint64_t *value_out)
{
    uint64_t number = 0;
    size_t i = 0;
    for (; i < value.length && value.bytes[i] >= '0' && value.bytes[i] <= '9'; i++)
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(value.bytes[i] - '0'), &number))
            return "out of range";
    int steps = option->type == OPTION_SIZE ? size_suffix((struct slice){value.bytes + i, value.length - i})
                                            : (i == value.length ? 0 : -1);
    if (i == 0 || steps < 0)
        return option->type == OPTION_SIZE ? "not a size" : "not a number";
    for (; steps > 0; steps--)
        if (__builtin_mul_overflow(number, 1024u, &number))
            return "out of range";
    if (number < option->minimum || number > option->maximum)
        return "out of range";
    *value_out = number;
    return NULL;
}

static const char *parse_choice(struct slice value, const char *choices, uint64_t *value_out)
{
    for (uint64_t index = 0;; index++) {
        size_t length = strcspn(choices, "|");
        if (length == value.length && memcmp(choices, value.bytes, length) == 0) {
            *value_out = index;
            return NULL;
        }
        if (choices[length] == '\0')
            return "not one of its choices";
        choices += length + 1;
    }
}

static const char *parse_value(struct options *options, const struct option_row *option, struct slice value)
{
    char *field = (char *)options + option->offset;
    if (option->type == OPTION_TEXT) {
        if (value.length >= OPTION_TEXT_BYTES)
            return "too long";
        memcpy(field, value.bytes, value.length);
        field[value.length] = '\0';
        return NULL;
    }
    uint64_t number = 0;
    const char *problem = option->type == OPTION_BOOL     ? parse_bool(value, &number)
                          : option->type == OPTION_CHOICE ? parse_choice(value, option->choices, &number)
                                                          : parse_number(value, option, &number);
    if (problem == NULL)
        memcpy(field, &number, sizeof number);
    return problem;
}

static const struct option_row *find_option(struct slice name)
{
    for (size_t i = 0; i < options_count; i++)
        if (slice_is(name, options_table[i].name))
            return &options_table[i];
    return NULL;
}

static const char *parse_item(struct options *options, struct slice item)
{
    const char *equals = memchr(item.bytes, '=', item.length);
    struct slice name = {item.bytes, equals != NULL ? (size_t)(equals - item.bytes) : item.length};
    const struct option_row *option = find_option(name);
    if (option == NULL)
        return "unknown; see gcalloc options";
    if (equals == NULL)
        return option->type == OPTION_BOOL || (option->type == OPTION_COUNT && option->minimum <= 1)
                   ? parse_value(options, option, (struct slice){"1", 1})
                   : "needs a value";
    return parse_value(options, option, (struct slice){equals + 1, item.length - name.length - 1});
}

COLD void options_parse(struct options *options, const char *text, options_complain *complain)
{
    while (*text != '\0') {
        struct slice item = {text, strcspn(text, ",")};
        const char *problem = item.length == 0 ? NULL : parse_item(options, item);
        if (problem != NULL)
            complain(item.bytes, item.length, problem);
        text += item.length + (text[item.length] == ',');
    }
}

/* The first choice of a CHOICE is its default: options.h says so, and a unit test holds the table to it. */
static const struct options defaults = {
#define OPTION(name, type, initial, minimum, maximum, meaning) .name = (initial),
#define CHOICE(name, initial, choices, meaning) .name = 0,
#define TEXT(name, meaning) .name = "",
#include "base/options.def"
#undef OPTION
#undef CHOICE
#undef TEXT
};

void options_set_defaults(struct options *options)
{
    *options = defaults;
}

/* Of a process that was given none the defaults are what counts: one page less. */
IN_FEW_PROCESSES static struct options given;
static const struct options *now = &defaults;

const struct options *options_now(void)
{
    return now;
}

COLD static void warn(const char *item, size_t item_length, const char *problem)
{
    char copy[80];
    size_t length = item_length < sizeof copy ? item_length : sizeof copy - 1;
    memcpy(copy, item, length);
    copy[length] = '\0';
    message_warn("option \"%s\": %s", copy, problem);
}

/* What the program itself gives as LSAN_OPTIONS; the environment overrides it. */
static const char *lsan_defaults;

enum { VERBOSE_ALL = 3 };

/* The later ones override the earlier. */
COLD static void take(const char *text, const char *lsan)
{
    options_set_defaults(&given);
    now = &given;
    if (text != NULL)
        options_parse(&given, text, warn);
    if (lsan_defaults != NULL)
        options_parse_lsan(&given, lsan_defaults);
    if (lsan != NULL)
        options_parse_lsan(&given, lsan);
    if (given.verbose >= VERBOSE_ALL)
        given.stats = given.gc_log = 1;
}

/* Runs in every process: no string literal, which would lie with those that are hardly ever read. */
NOINLINE void options_load(void)
{
    static const char variable[] = "GCALLOC_OPTIONS";
    static const char lsan_variable[] = "LSAN_OPTIONS";
    const char *text = os_is_privileged() ? NULL : os_environment_get(variable);
    const char *lsan = os_is_privileged() ? NULL : os_environment_get(lsan_variable);
    now = &defaults;
    if (text != NULL || lsan != NULL || lsan_defaults != NULL)
        take(text, lsan);
}

COLD void options_load_with(const char *text)
{
    lsan_defaults = text;
    options_load();
}
