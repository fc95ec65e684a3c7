/* os/maps: what lies at an address, for every kind of mapping and at the borders of each. */
#include "os/maps.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int some_data = 1;
static size_t page_bytes;

static void set_page_bytes(void)
{
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
}

static struct os_mapping find(const void *address)
{
    struct os_mapping mapping;
    ck_assert_int_eq(os_mapping_find((uintptr_t)address, &mapping), 0);
    ck_assert_uint_le(mapping.start, (uintptr_t)address);
    ck_assert_uint_gt(mapping.end, (uintptr_t)address);
    return mapping;
}

START_TEST(stack_code_and_data_are_told_apart)
{
    int on_stack = 0;
    struct os_mapping stack = find(&on_stack);
    struct os_mapping code = find((void *)(uintptr_t)&os_mapping_find);
    struct os_mapping data = find(&some_data);
    ck_assert_str_eq(stack.name, "[stack]");
    ck_assert(stack.readable && stack.writable && !stack.executable);
    ck_assert(code.readable && code.executable && !code.writable);
    ck_assert_ptr_nonnull(strstr(code.name, "os_maps"));
    ck_assert(data.readable && data.writable && !data.executable);
}
END_TEST

/* A hole on both sides, so that the kernel does not merge it with a neighbour. */
static char *map_alone(size_t pages, int protection)
{
    char *start =
        mmap(NULL, (pages + 2) * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(start, MAP_FAILED);
    ck_assert_int_eq(munmap(start, page_bytes), 0);
    ck_assert_int_eq(munmap(start + (pages + 1) * page_bytes, page_bytes), 0);
    ck_assert_int_eq(mprotect(start + page_bytes, pages * page_bytes, protection), 0);
    return start + page_bytes;
}

START_TEST(borders_are_exact)
{
    char *start = map_alone(3, PROT_READ);
    struct os_mapping mapping;
    for (size_t offset = 0; offset < 3 * page_bytes; offset += page_bytes - 1) {
        mapping = find(start + offset);
        ck_assert_uint_eq(mapping.start, (uintptr_t)start);
        ck_assert_uint_eq(mapping.end, (uintptr_t)start + 3 * page_bytes);
        ck_assert(mapping.readable && !mapping.writable && !mapping.executable);
        ck_assert_str_eq(mapping.name, "");
    }
    ck_assert_int_eq(os_mapping_find((uintptr_t)start - 1, &mapping), -ENOENT);
    ck_assert_int_eq(os_mapping_find((uintptr_t)start + 3 * page_bytes, &mapping), -ENOENT);
}
END_TEST

START_TEST(nothing_is_at_null_or_at_the_end)
{
    struct os_mapping mapping;
    ck_assert_int_eq(os_mapping_find(0, &mapping), -ENOENT);
    ck_assert_int_eq(os_mapping_find(UINTPTR_MAX, &mapping), -ENOENT);
}
END_TEST

/* Of a path that is too long the end stays, which has the file's name. */
START_TEST(a_file_is_named_with_its_offset)
{
    char folder[] = "/tmp/gcalloc-maps-XXXXXX", path[400];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/with blank %0150d", folder, 7);
    int descriptor = open(path, O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)(3 * page_bytes)), 0);
    void *start =
        mmap(NULL, page_bytes, PROT_READ, MAP_SHARED, descriptor, (off_t)(2 * page_bytes));
    ck_assert_ptr_ne(start, MAP_FAILED);
    struct os_mapping mapping = find(start);
    ck_assert_uint_eq(mapping.file_offset, 2 * page_bytes);
    ck_assert_uint_eq(strlen(mapping.name), sizeof mapping.name - 1);
    ck_assert_str_eq(mapping.name, path + strlen(path) - (sizeof mapping.name - 1));
    unlink(path);
    rmdir(folder);
}
END_TEST

/* Many mappings make many buffers' worth of lines, with lines across the borders between two of them. */
START_TEST(every_one_of_many_mappings_is_found)
{
    enum { COUNT = 300 };
    char *starts[COUNT];
    for (int i = 0; i < COUNT; i++)
        starts[i] = map_alone(1 + (size_t)i % 3, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
    for (int i = 0; i < COUNT; i++) {
        struct os_mapping mapping = find(starts[i]);
        ck_assert_uint_eq(mapping.start, (uintptr_t)starts[i]);
        ck_assert_uint_eq(mapping.end - mapping.start, (1 + (size_t)i % 3) * page_bytes);
        ck_assert_int_eq(mapping.writable, i % 2 == 0);
    }
}
END_TEST

START_TEST(libraries_with_habits_are_known_by_name)
{
    ck_assert_uint_eq(os_map_habits("/usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0"), OS_MAP_DISTANCES);
    ck_assert_uint_eq(os_map_habits("/nix/store/libfontconfig/lib/libfontconfig.so"), OS_MAP_DISTANCES);
    ck_assert_uint_eq(os_map_habits("/usr/lib/libswipl.so.9 (deleted)"), OS_MAP_HIDES);
    ck_assert_uint_eq(os_map_habits("/lib//libswipl.so.9"), OS_MAP_HIDES);
    ck_assert_uint_eq(os_map_habits("/opt/mylibswipl.so"), 0);
    ck_assert_uint_eq(os_map_habits("/usr/lib/libfontconfig"), 0);
    ck_assert_uint_eq(os_map_habits(""), 0);
}
END_TEST

START_TEST(no_descriptor_is_left_open)
{
    int before = open("/dev/null", O_RDONLY);
    struct os_mapping mapping;
    for (int i = 0; i < 10; i++) {
        find(&some_data);
        os_mapping_find(0, &mapping);
    }
    int after = open("/dev/null", O_RDONLY);
    ck_assert_int_eq(after, before + 1);
}
END_TEST

static TCase *maps(void)
{
    TCase *tests = tcase_create("maps");
    tcase_add_checked_fixture(tests, set_page_bytes, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, stack_code_and_data_are_told_apart);
    tcase_add_test(tests, borders_are_exact);
    tcase_add_test(tests, nothing_is_at_null_or_at_the_end);
    tcase_add_test(tests, a_file_is_named_with_its_offset);
    tcase_add_test(tests, every_one_of_many_mappings_is_found);
    tcase_add_test(tests, libraries_with_habits_are_known_by_name);
    tcase_add_test(tests, no_descriptor_is_left_open);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {maps};
    return suite_run("os/maps", makers, 1);
}
