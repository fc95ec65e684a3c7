/* base/options: every row of the table, at its borders and beyond; what is wrong is said and changes nothing. */
#include "base/options.h"
#include "support/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char complaints[2048];

static void complain(const char *item, size_t item_length, const char *problem)
{
    size_t used = strlen(complaints);
    snprintf(complaints + used, sizeof complaints - used, "%.*s: %s;", (int)item_length, item,
             problem);
}

static struct options parse(const char *text)
{
    struct options options;
    complaints[0] = '\0';
    options_set_defaults(&options);
    options_parse(&options, text, complain);
    return options;
}

static uint64_t number_of(const struct options *options, const struct option_row *option)
{
    uint64_t value;
    memcpy(&value, (const char *)options + option->offset, sizeof value);
    return value;
}

static uint64_t parse_number_of(const struct option_row *option, const char *value)
{
    char text[600];
    snprintf(text, sizeof text, "%s=%s", option->name, value);
    struct options options = parse(text);
    return number_of(&options, option);
}

static bool is_number(const struct option_row *option)
{
    return option->type == OPTION_COUNT || option->type == OPTION_SIZE;
}

static void expect_refused(const struct option_row *option, const char *value, const char *problem)
{
    struct options defaults = parse("");
    char expected[600];
    uint64_t number = parse_number_of(option, value);
    ck_assert_uint_eq(number, number_of(&defaults, option));
    snprintf(expected, sizeof expected, "%s=%s: %s;", option->name, value, problem);
    ck_assert_str_eq(complaints, expected);
}

START_TEST(the_table_is_sound)
{
    ck_assert_uint_ge(options_count, 10);
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        ck_assert(option->name[0] != '\0' && strpbrk(option->name, "=, ") == NULL);
        ck_assert(option->meaning[0] != '\0' && strlen(option->meaning) < sizeof option->meaning);
        ck_assert_uint_lt(option->offset, sizeof(struct options));
        ck_assert((option->type == OPTION_CHOICE) == (option->choices[0] != '\0'));
        ck_assert_uint_lt(strlen(option->choices), sizeof option->choices);
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(option->name, options_table[j].name);
            ck_assert_uint_ne(option->offset, options_table[j].offset);
        }
    }
}
END_TEST

START_TEST(defaults_are_what_the_table_says)
{
    struct options options = parse("");
    ck_assert_str_eq(complaints, "");
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        uint64_t value = option->type == OPTION_TEXT ? 0 : number_of(&options, option);
        if (is_number(option) || option->type == OPTION_BOOL) {
            ck_assert_uint_eq(value, strtoull(option->initial, NULL, 10));
            ck_assert(value >= option->minimum && value <= option->maximum);
        } else if (option->type == OPTION_CHOICE) {
            ck_assert_uint_eq(parse_number_of(option, option->initial), value);
            ck_assert_str_eq(complaints, "");
        }
    }
    ck_assert_str_eq(options.log_file, "");
    ck_assert_uint_eq(options.on_error, ON_ERROR_ABORT);
    ck_assert_uint_eq(options.huge_pages, HUGE_PAGES_NEVER);
}
END_TEST

START_TEST(numbers_are_taken_up_to_their_limits)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        char value[64];
        if (!is_number(option))
            continue;
        snprintf(value, sizeof value, "%lu", option->minimum);
        ck_assert_uint_eq(parse_number_of(option, value), option->minimum);
        ck_assert_str_eq(complaints, "");
        snprintf(value, sizeof value, "%lu", option->maximum);
        ck_assert_uint_eq(parse_number_of(option, value), option->maximum);
        ck_assert_str_eq(complaints, "");
        snprintf(value, sizeof value, "%lu", option->maximum + 1);
        expect_refused(option, value, "out of range");
        if (option->minimum > 0) {
            snprintf(value, sizeof value, "%lu", option->minimum - 1);
            expect_refused(option, value, "out of range");
        }
    }
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
    static const char *const wrong[] = {"",     "x",   "-1",  "+1",  " 1",  "1 ",
                                        "0x10", "1.5", "1e3", "1KK", "1iB", "1B"};
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        if (!is_number(option))
            continue;
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++)
            expect_refused(option, wrong[j],
                           option->type == OPTION_SIZE ? "not a size" : "not a number");
        expect_refused(option, "18446744073709551616", "out of range");
        expect_refused(option, "99999999999999999999999999", "out of range");
    }
}
END_TEST

START_TEST(sizes_have_suffixes)
{
    static const char letters[] = "kmgt";
    static const char *const endings[] = {"", "B", "b", "iB", "ib"};
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        for (int step = 1; option->type == OPTION_SIZE && step <= 4; step++)
            for (int j = 0; j < 10; j++) {
                char value[32];
                uint64_t expected = (uint64_t)2 << 10 * step;
                snprintf(value, sizeof value, "2%c%s", letters[step - 1] ^ (j & 1 ? 0x20 : 0),
                         endings[j / 2]);
                if (expected >= option->minimum && expected <= option->maximum) {
                    ck_assert_uint_eq(parse_number_of(option, value), expected);
                    ck_assert_str_eq(complaints, "");
                } else {
                    expect_refused(option, value, "out of range");
                }
            }
    }
    const struct option_row *option = options_table;
    while (option->type != OPTION_SIZE)
        option++;
    expect_refused(option, "18446744073709551615T", "out of range");
    expect_refused(option, "1P", "not a size");
    expect_refused(option, "1KX", "not a size");
}
END_TEST

START_TEST(bools_know_their_words)
{
    static const char *const yes[] = {"1", "yes", "on", "true"};
    static const char *const no[] = {"0", "no", "off", "false"};
    static const char *const wrong[] = {"", "2", "YES", "yess", "o", "ye"};
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        if (option->type != OPTION_BOOL)
            continue;
        for (int j = 0; j < 4; j++) {
            ck_assert_uint_eq(parse_number_of(option, yes[j]), 1);
            ck_assert_str_eq(complaints, "");
            ck_assert_uint_eq(parse_number_of(option, no[j]), 0);
            ck_assert_str_eq(complaints, "");
        }
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++)
            expect_refused(option, wrong[j], "neither yes nor no");
        struct options bare = parse(option->name);
        ck_assert_uint_eq(number_of(&bare, option), 1);
        ck_assert_str_eq(complaints, "");
    }
}
END_TEST

START_TEST(each_choice_is_its_index)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *option = &options_table[i];
        char choices[256];
        uint64_t index = 0;
        if (option->type != OPTION_CHOICE)
            continue;
        snprintf(choices, sizeof choices, "%s", option->choices);
        for (char *choice = strtok(choices, "|"); choice != NULL; choice = strtok(NULL, "|")) {
            ck_assert_uint_eq(parse_number_of(option, choice), index++);
            ck_assert_str_eq(complaints, "");
        }
        ck_assert_uint_ge(index, 2);
        expect_refused(option, "", "not one of its choices");
        expect_refused(option, option->choices, "not one of its choices");
        expect_refused(option, "abor", "not one of its choices");
    }
}
END_TEST

START_TEST(texts_are_taken_up_to_their_length)
{
    char text[400] = "log_file=";
    memset(text + 9, 'a', OPTION_TEXT_BYTES - 1);
    struct options options = parse(text);
    ck_assert_str_eq(complaints, "");
    ck_assert_str_eq(options.log_file, text + 9);
    text[9 + OPTION_TEXT_BYTES - 1] = 'a';
    options = parse(text);
    ck_assert_ptr_nonnull(strstr(complaints, ": too long;"));
    ck_assert_str_eq(options.log_file, "");
    options = parse("log_file=/tmp/a=b.%p");
    ck_assert_str_eq(options.log_file, "/tmp/a=b.%p");
}
END_TEST

START_TEST(a_wrong_item_does_not_spoil_the_others)
{
    struct options options = parse("stats,foo=1,verbose=2,,verbose=x,on_error=report,bar,log_file");
    ck_assert_uint_eq(options.stats, 1);
    ck_assert_uint_eq(options.verbose, 2);
    ck_assert_uint_eq(options.on_error, ON_ERROR_REPORT);
    ck_assert_str_eq(complaints, "foo=1: unknown; see gcalloc options;verbose=x: not a number;"
                                 "bar: unknown; see gcalloc options;log_file: needs a value;");
}
END_TEST

START_TEST(names_are_whole_words)
{
    parse("stat=1,statss=1,=1,Stats=1, stats=1");
    int count = 0;
    for (const char *at = complaints; (at = strstr(at, "unknown")) != NULL; at++)
        count++;
    ck_assert_int_eq(count, 5);
}
END_TEST

START_TEST(the_last_value_counts)
{
    ck_assert_uint_eq(parse("verbose=1,verbose=3,verbose=9").verbose, 3);
    ck_assert_str_eq(complaints, "verbose=9: out of range;");
    ck_assert_uint_eq(parse(",").verbose, 0);
    ck_assert_str_eq(complaints, "");
}
END_TEST

START_TEST(the_environment_is_read)
{
    setenv("GCALLOC_OPTIONS", "verbose=2,dirty_min=3M", 1);
    options_load();
    ck_assert_uint_eq(options_now()->verbose, 2);
    ck_assert_uint_eq(options_now()->dirty_min, 3u << 20);
    unsetenv("GCALLOC_OPTIONS");
    options_load();
    ck_assert_uint_eq(options_now()->verbose, 0);
}
END_TEST

static TCase *options(void)
{
    TCase *tests = tcase_create("options");
    tcase_add_test(tests, the_table_is_sound);
    tcase_add_test(tests, defaults_are_what_the_table_says);
    tcase_add_test(tests, numbers_are_taken_up_to_their_limits);
    tcase_add_test(tests, what_is_no_number_is_refused);
    tcase_add_test(tests, sizes_have_suffixes);
    tcase_add_test(tests, bools_know_their_words);
    tcase_add_test(tests, each_choice_is_its_index);
    tcase_add_test(tests, texts_are_taken_up_to_their_length);
    tcase_add_test(tests, a_wrong_item_does_not_spoil_the_others);
    tcase_add_test(tests, names_are_whole_words);
    tcase_add_test(tests, the_last_value_counts);
    tcase_add_test(tests, the_environment_is_read);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {options};
    return suite_run("base/options", makers, 1);
}
