/* base/format: what it understands reads as printf would have it; what does not fit is cut off. */
#include "base/format.h"
#include "property/random.h"
#include "support/suite.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Formats both ways into buffers of the same size, which may be too small. */
static void PRINTF_LIKE(2, 3) expect_as_printf(size_t size_bytes, const char *format, ...)
{
    char *ours = malloc(size_bytes + 1);
    char *theirs = malloc(size_bytes);
    va_list arguments, again;
    ours[size_bytes] = 'x';
    va_start(arguments, format);
    va_copy(again, arguments);
    struct text text = text_in(ours, size_bytes);
    text_add_list(&text, format, arguments);
    vsnprintf(theirs, size_bytes, format, again);
    va_end(again);
    va_end(arguments);
    ck_assert_str_eq(ours, theirs);
    ck_assert_uint_eq(text.length, strlen(theirs));
    ck_assert_int_eq(ours[size_bytes], 'x');
    free(ours);
    free(theirs);
}

START_TEST(every_directive_is_as_in_printf)
{
    expect_as_printf(100, "plain");
    expect_as_printf(100, "%s|%c|%%|%d|%u|%x", "text", 'c', -7, 7u, 0xbeefu);
    expect_as_printf(100, "%ld %lu %lx %zu", LONG_MIN, ULONG_MAX, ULONG_MAX, SIZE_MAX);
    expect_as_printf(100, "%d %d %d", INT_MIN, INT_MAX, 0);
    expect_as_printf(100, "%8lu|%8s|%-8s|%3d|%-6d|%2u", 42ul, "right", "left", -1, -1, 12345u);
    expect_as_printf(100, "%p", (void *)0x7f31c0);
    expect_as_printf(100, "%s%s", "", "");
}
END_TEST

START_TEST(numbers_are_as_in_printf)
{
    struct random random = {4};
    for (int i = 0; i < 20000; i++) {
        uint64_t value = random_next(&random) >> random_below(&random, 64);
        expect_as_printf(100, "%ld %lu %lx %d %u %x %20lu", (long)value, value, value, (int)value,
                         (unsigned)value, (unsigned)value, value);
    }
}
END_TEST

/* Cut anywhere, also inside a number and its blanks. */
START_TEST(what_does_not_fit_is_cut_off)
{
    for (size_t size_bytes = 1; size_bytes < 60; size_bytes++)
        expect_as_printf(size_bytes, "abc %8d %s %-9s| %lx", -12345, "defghi", "jk",
                         0x123456789abcul);
}
END_TEST

START_TEST(adding_goes_on_where_it_was)
{
    char buffer[8];
    struct text text = text_in(buffer, sizeof buffer);
    ck_assert_str_eq(buffer, "");
    text_add(&text, "%s", "abc");
    text_add(&text, "%d", 12);
    ck_assert_str_eq(buffer, "abc12");
    text_add(&text, "%s", "tail");
    ck_assert_str_eq(buffer, "abc12ta");
    text_add(&text, "more");
    ck_assert_str_eq(buffer, "abc12ta");
}
END_TEST

static void expect_size(unsigned long size_bytes, const char *expected)
{
    char buffer[32];
    struct text text = text_in(buffer, sizeof buffer);
    text_add_size(&text, size_bytes);
    ck_assert_msg(strcmp(buffer, expected) == 0, "%lu is \"%s\", not \"%s\"", size_bytes, buffer,
                  expected);
}

START_TEST(sizes_have_units_and_at_most_four_digits)
{
    expect_size(0, "0 B");
    expect_size(48, "48 B");
    expect_size(1023, "1023 B");
    expect_size(1024, "1.0 KiB");
    expect_size(1536, "1.5 KiB");
    expect_size(100 * 1024, "100 KiB");
    expect_size(312ul << 20, "312 MiB");
    expect_size((1ul << 20) - 1, "1.0 MiB");
    expect_size(1ul << 30, "1.0 GiB");
    expect_size(1ul << 40, "1.0 TiB");
    expect_size(1ul << 50, "1.0 PiB");
    for (int shift = 0; shift < 64; shift++) {
        char buffer[32];
        struct text text = text_in(buffer, sizeof buffer);
        text_add_size(&text, ~0ul >> shift);
        ck_assert_msg(strcspn(buffer, " ") <= 5, "%lu is \"%s\"", ~0ul >> shift, buffer);
    }
}
END_TEST

/* Read back, the text is the size to within half a digit of the last one shown. */
START_TEST(sizes_are_near_the_truth)
{
    struct random random = {5};
    for (int i = 0; i < 100000; i++) {
        unsigned long size_bytes = random_next(&random) >> random_below(&random, 64);
        char buffer[32], unit[8];
        double value;
        struct text text = text_in(buffer, sizeof buffer);
        text_add_size(&text, size_bytes);
        ck_assert_int_eq(sscanf(buffer, "%lf %7s", &value, unit), 2);
        for (const char *step = "KMGTP"; unit[0] != 'B' && *step != '\0'; step++) {
            value *= 1024;
            if (*step == unit[0])
                break;
        }
        double error = value - (double)size_bytes;
        ck_assert_msg(error <= 0.06 * (double)size_bytes && -error <= 0.06 * (double)size_bytes,
                      "%lu is \"%s\"", size_bytes, buffer);
    }
}
END_TEST

static TCase *format(void)
{
    TCase *tests = tcase_create("format");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_directive_is_as_in_printf);
    tcase_add_test(tests, numbers_are_as_in_printf);
    tcase_add_test(tests, what_does_not_fit_is_cut_off);
    tcase_add_test(tests, adding_goes_on_where_it_was);
    tcase_add_test(tests, sizes_have_units_and_at_most_four_digits);
    tcase_add_test(tests, sizes_are_near_the_truth);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {format};
    return suite_run("base/format", makers, 1);
}
