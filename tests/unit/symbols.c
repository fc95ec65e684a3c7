/* leak/symbols: names of this program's own functions; files that are damaged. */
#include "leak/symbols.h"
#include "os/object.h"
#include "property/random.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAMAGED_FILES = 300 };

__attribute__((noinline, used)) static int first_of_two(int number)
{
    return number * 7919 + 3;
}

__attribute__((noinline, used)) static int second_of_two(int number)
{
    return number * 104729 + 5;
}

static uint64_t offset_of(int (*function)(int))
{
    struct os_object object;
    ck_assert(os_object_find((uintptr_t)function, &object));
    return (uintptr_t)function - object.base;
}

START_TEST(functions_are_found_by_any_of_their_addresses)
{
    struct symbols symbols;
    symbols_open(&symbols, "/proc/self/exe");
    ck_assert_uint_gt(symbols.count, 10);
    ck_assert_str_eq(symbols_find(&symbols, offset_of(first_of_two)), "first_of_two");
    ck_assert_str_eq(symbols_find(&symbols, offset_of(first_of_two) + 1), "first_of_two");
    ck_assert_str_eq(symbols_find(&symbols, offset_of(second_of_two)), "second_of_two");
    ck_assert_str_eq(symbols_find(&symbols, 0), "");
    ck_assert_str_eq(symbols_find(&symbols, UINT64_MAX), "");
    symbols_close(&symbols);
}
END_TEST

/* What a search from end to end would say: the function with the last start of those that the offset is in. */
START_TEST(each_function_is_the_innermost)
{
    struct symbols symbols;
    symbols_open(&symbols, "/proc/self/exe");
    const struct symbol *functions = symbols.functions.start;
    for (size_t i = 0; i < symbols.count; i++) {
        uint64_t offset = functions[i].start + (functions[i].end - functions[i].start) / 2;
        size_t best = 0;
        for (size_t k = 0; k < symbols.count; k++)
            if (functions[k].start <= offset && offset < functions[k].end)
                best = k;
        ck_assert_uint_le(i == 0 ? 0 : functions[i - 1].start, functions[i].start);
        ck_assert_str_eq(symbols_find(&symbols, offset), functions[best].name);
    }
    symbols_close(&symbols);
}
END_TEST

static size_t read_self(char *bytes, size_t room)
{
    FILE *file = fopen("/proc/self/exe", "rb");
    ck_assert_ptr_nonnull(file);
    size_t count = fread(bytes, 1, room, file);
    fclose(file);
    return count;
}

START_TEST(damaged_files_do_no_harm)
{
    static char bytes[8 << 20];
    static char changed[sizeof bytes];
    size_t count = read_self(bytes, sizeof bytes);
    struct random random = {5};
    for (int i = 0; i < DAMAGED_FILES; i++) {
        char path[] = "/tmp/gcalloc-symbols-XXXXXX";
        int file = mkstemp(path);
        ck_assert_int_ge(file, 0);
        memcpy(changed, bytes, count);
        const size_t from[] = {0, count - 2500, 0}; /* the header; the table of sections, which is last; anywhere */
        const size_t bytes_hit[] = {64, 2500, count};
        for (int k = 0; k < 1 + i % 40; k++)
            changed[from[i % 3] + random_below(&random, bytes_hit[i % 3])] = (char)random_next(&random);
        size_t length = i % 7 == 0 ? random_below(&random, count) : count;
        ck_assert_int_eq(write(file, changed, length), (ssize_t)length);
        close(file);
        struct symbols symbols;
        symbols_open(&symbols, path);
        for (int k = 0; k < 100; k++)
            ck_assert_ptr_nonnull(symbols_find(&symbols, random_below(&random, count)));
        symbols_close(&symbols);
        unlink(path);
    }
    struct symbols none;
    symbols_open(&none, "/nowhere");
    ck_assert_str_eq(symbols_find(&none, 4096), "");
    symbols_close(&none);
}
END_TEST

static TCase *symbols_case(void)
{
    TCase *tests = tcase_create("symbols");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, functions_are_found_by_any_of_their_addresses);
    tcase_add_test(tests, each_function_is_the_innermost);
    tcase_add_test(tests, damaged_files_do_no_harm);
    return tests;
}

static test_case_maker *const makers[] = {symbols_case};

int main(void)
{
    return suite_run("symbols", makers, sizeof makers / sizeof *makers);
}
