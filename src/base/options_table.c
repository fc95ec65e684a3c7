/*
 * base/options_table: what options there are, as data, for parsing and for the command.
 *
 * No process needs it that sets no option, so it lies by itself; and it is all characters, since pointers would be
 * relocated in every process.
 *
 * Uses nothing. Locks: none; constant.
 */
#include "base/options.h"

const struct option_row options_table[] = {
#define OPTION(name, type, initial, minimum, maximum, meaning)                                                        \
    {#name, OPTION_##type, #initial, minimum, maximum, "", meaning, offsetof(struct options, name)},
#define CHOICE(name, initial, choices, meaning)                                                                       \
    {#name, OPTION_CHOICE, initial, 0, 0, choices, meaning, offsetof(struct options, name)},
#define TEXT(name, meaning)                                                                                           \
    {#name, OPTION_TEXT, "", 0, OPTION_TEXT_BYTES - 1, "", meaning, offsetof(struct options, name)},
#include "base/options.def"
#undef OPTION
#undef CHOICE
#undef TEXT
};

const size_t options_count = sizeof options_table / sizeof options_table[0];
