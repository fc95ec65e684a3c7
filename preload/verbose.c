/*
 * preload/verbose: what the library says of itself at the start.
 *
 * Uses os, base. Locks: none.
 */
#include "preload/verbose.h"

#include "base/compiler.h"
#include "base/message.h"
#include "base/options.h"
#include "os/thread.h"

#include <string.h>

enum { LINE_BYTES = 2048 };

static void add_value(struct text *text, const struct option_row *option, const char *field)
{
    uint64_t value;
    if (option->type == OPTION_TEXT) {
        text_add(text, "%s", field);
        return;
    }
    memcpy(&value, field, sizeof value);
    const char *choice = option->choices;
    for (uint64_t i = 0; option->type == OPTION_CHOICE && i < value; i++)
        choice += strcspn(choice, "|") + 1;
    if (option->type != OPTION_CHOICE)
        text_add(text, "%lu", value);
    for (; option->type == OPTION_CHOICE && *choice != '\0' && *choice != '|'; choice++)
        text_add(text, "%c", *choice);
}

/* Those that are not what they are by default, as GCALLOC_OPTIONS would have them. */
static void say_options(void)
{
    static struct options defaults; /* no small thing, and the program may be on a small stack */
    char buffer[LINE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    const char *separator = "";
    options_set_defaults(&defaults);
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        const char *field = (const char *)options_now() + option->offset;
        const char *usual = (const char *)&defaults + option->offset;
        if (option->type == OPTION_TEXT ? strcmp(field, usual) == 0 : memcmp(field, usual, sizeof(uint64_t)) == 0)
            continue;
        text_add(&text, "%s%s=", separator, option->name);
        add_value(&text, option, field);
        separator = ",";
    }
    message_note("options: %s", buffer);
}

COLD void verbose_at_start(void)
{
    if (options_now()->verbose >= 1)
        message_note("process %d runs on gcalloc", os_process_id());
    if (options_now()->verbose >= 2)
        say_options();
}
