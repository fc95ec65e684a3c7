/*
 * tools/option_list: what GCALLOC_OPTIONS understands, and what it is set to.
 *
 * Made with the very table and parser that the library uses, so both always agree.
 */
#include "tools/option_list.h"

#include "base/options.h"
#include "tools/say.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that lives until the end of the full expression it is used in. */
struct cell {
    char text[OPTION_TEXT_BYTES];
};

/* As it is written in GCALLOC_OPTIONS, in the largest unit that leaves no rest. */
static struct cell size_cell(uint64_t size_bytes)
{
    static const char suffixes[] = "\0KMGT";
    size_t step = 0;
    while (size_bytes != 0 && size_bytes % 1024 == 0 && step < 4) {
        size_bytes /= 1024;
        step++;
    }
    struct cell cell;
    snprintf(cell.text, sizeof cell.text, "%" PRIu64 "%.1s", size_bytes, &suffixes[step]);
    return cell;
}

static struct cell choice_cell(const char *choices, uint64_t index)
{
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    struct cell cell;
    snprintf(cell.text, sizeof cell.text, "%.*s", (int)strcspn(choices, "|"), choices);
    return cell;
}

static struct cell value_cell(const struct option_row *option, uint64_t value)
{
    struct cell cell;
    switch (option->type) {
    case OPTION_SIZE:
        return size_cell(value);
    case OPTION_CHOICE:
        return choice_cell(option->choices, value);
    case OPTION_BOOL:
        snprintf(cell.text, sizeof cell.text, "%s", value != 0 ? "yes" : "no");
        return cell;
    default:
        snprintf(cell.text, sizeof cell.text, "%" PRIu64, value);
        return cell;
    }
}

static struct cell field_cell(const struct option_row *option, const struct options *options)
{
    const char *field = (const char *)options + option->offset;
    if (option->type == OPTION_TEXT) {
        struct cell cell;
        snprintf(cell.text, sizeof cell.text, "%s", *field != '\0' ? field : "(none)");
        return cell;
    }
    uint64_t value;
    memcpy(&value, field, sizeof value);
    return value_cell(option, value);
}

static struct cell range_cell(const struct option_row *option)
{
    struct cell cell;
    if (option->type == OPTION_TEXT)
        snprintf(cell.text, sizeof cell.text, "up to %" PRIu64 " bytes", option->maximum);
    else if (option->type == OPTION_CHOICE)
        snprintf(cell.text, sizeof cell.text, "%s", option->choices);
    else
        snprintf(
            cell.text, sizeof cell.text, "%.24s%s%.24s", value_cell(option, option->minimum).text,
            option->type == OPTION_BOOL ? "|" : " to ", value_cell(option, option->maximum).text);
    return cell;
}

static const char *type_name(enum option_type type)
{
    static const char *const names[] = {
        [OPTION_BOOL] = "bool",     [OPTION_COUNT] = "count", [OPTION_SIZE] = "size",
        [OPTION_CHOICE] = "choice", [OPTION_TEXT] = "text",
    };
    return names[type];
}

/* `now` is NULL when nothing is set. */
static void print_option(const struct option_row *option, int name_width, const struct options *initial,
                         const struct options *now)
{
    printf("%-*s %-7s %-8s ", name_width, option->name, type_name(option->type),
           field_cell(option, initial).text);
    if (now != NULL)
        printf("%-26s  %s\n", range_cell(option).text, field_cell(option, now).text);
    else
        puts(range_cell(option).text);
    printf("    %s\n", option->meaning);
}

static bool was_wrong;

static void complain(const char *item, size_t item_length, const char *problem)
{
    say_error("GCALLOC_OPTIONS: \"%.*s\": %.*s", (int)item_length, item, (int)strcspn(problem, ";"),
              problem);
    was_wrong = true;
}

int option_list_print(void)
{
    struct options initial;
    struct options now;
    options_set_defaults(&initial);
    options_set_defaults(&now);
    const char *text = getenv("GCALLOC_OPTIONS");
    if (text != NULL)
        options_parse(&now, text, complain);
    int name_width = 0;
    for (size_t i = 0; i < options_count; i++)
        if ((int)strlen(options_table[i].name) > name_width)
            name_width = (int)strlen(options_table[i].name);
    printf("%-*s %-7s %-8s %s\n", name_width, "NAME", "TYPE", "DEFAULT", text != NULL ? "RANGE                       NOW" : "RANGE");
    for (size_t i = 0; i < options_count; i++)
        print_option(&options_table[i], name_width, &initial, text != NULL ? &now : NULL);
    return was_wrong ? STATUS_FAILED : STATUS_DONE;
}
