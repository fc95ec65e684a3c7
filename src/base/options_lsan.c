/*
 * base/options_lsan: LSAN_OPTIONS.
 *
 * Locks: none.
 */
#include "base/options_lsan.h"

#include "base/compiler.h"

#include <stdbool.h>
#include <string.h>

struct piece {
    const char *bytes;
    size_t length;
};

static bool is(struct piece piece, const char *word)
{
    return strlen(word) == piece.length && memcmp(piece.bytes, word, piece.length) == 0;
}

static uint64_t number_in(struct piece piece)
{
    uint64_t number = 0;
    if (is(piece, "true") || is(piece, "yes"))
        return 1;
    for (size_t i = 0; i < piece.length && piece.bytes[i] >= '0' && piece.bytes[i] <= '9'; i++)
        number = number < UINT32_MAX ? 10 * number + (uint64_t)(piece.bytes[i] - '0') : number;
    return number;
}

static void set_text(char field[OPTION_TEXT_BYTES], struct piece piece, const char *suffix)
{
    if (piece.length + strlen(suffix) >= OPTION_TEXT_BYTES)
        return;
    memcpy(field, piece.bytes, piece.length);
    memcpy(field + piece.length, suffix, strlen(suffix) + 1);
}

static void set(struct options *options, struct piece key, struct piece value)
{
    if (is(key, "detect_leaks"))
        options->leaks = number_in(value) != 0;
    else if (is(key, "exitcode"))
        options->exitcode = number_in(value) & 255;
    else if (is(key, "leak_check_at_exit"))
        options->leaks_at_exit = number_in(value) != 0;
    else if (is(key, "max_leaks"))
        options->max_leaks = number_in(value);
    else if (is(key, "report_objects"))
        options->report_objects = number_in(value) != 0;
    else if (is(key, "suppressions"))
        set_text(options->suppressions, value, "");
    else if (is(key, "log_path") && !is(value, "stderr") && !is(value, "stdout"))
        set_text(options->log_file, value, ".%p");
}

static const char *end_of_value(const char *text, struct piece *value_out)
{
    char quote = *text;
    if (quote == '\'' || quote == '"') {
        const char *end = strchr(text + 1, quote);
        *value_out = (struct piece){text + 1, end != NULL ? (size_t)(end - text - 1) : strlen(text + 1)};
        return end != NULL ? end + 1 : text + 1 + value_out->length;
    }
    *value_out = (struct piece){text, strcspn(text, ":, \t\n")};
    return text + value_out->length;
}

COLD void options_parse_lsan(struct options *options, const char *text)
{
    if (!options->leaks && strstr(text, "detect_leaks=1") == NULL)
        return;
    while (*text != '\0') {
        struct piece key = {text, strcspn(text, "=:, \t\n")};
        struct piece value = {"1", 1};
        text += key.length;
        if (*text == '=')
            text = end_of_value(text + 1, &value);
        else if (*text != '\0')
            text++;
        set(options, key, value);
        while (*text == ':' || *text == ',' || *text == ' ' || *text == '\t' || *text == '\n')
            text++;
    }
}
