/*
 * os/pressure: files as kernels with either version of cgroups show them, and files that are missing or odd.
 */
#include "os/pressure.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static void write_file(const char *path, const char *contents)
{
    char command[512];
    char whole[400];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", whole);
    ck_assert_int_eq(system(command), 0);
    FILE *file = fopen(whole, "w");
    ck_assert_ptr_nonnull(file);
    fputs(contents, file);
    fclose(file);
}

static struct os_pressure look(void)
{
    struct os_pressure pressure;
    os_pressure_read(root, &pressure);
    return pressure;
}

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/os_pressure.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(nothing_to_read_is_plenty)
{
    struct os_pressure pressure = look();
    ck_assert_uint_eq(pressure.some_percent, 0);
    ck_assert_uint_eq(pressure.full_percent, 0);
    ck_assert_uint_eq(pressure.used_bytes, 0);
    ck_assert_uint_eq(pressure.limit_bytes, UINT64_MAX);
    write_file("/proc/self/cgroup", "");
    write_file("/proc/pressure/memory", "what\n");
    ck_assert_uint_eq(look().some_percent, 0);
}
END_TEST

START_TEST(version_1)
{
    write_file("/proc/pressure/memory", "some avg10=12.80 avg60=1.00 avg300=0.00 total=4711\n"
                                        "full avg10=7.10 avg60=0.00 avg300=0.00 total=0\n");
    write_file("/proc/self/cgroup", "4:memory:/a/b\n0::/\n");
    write_file("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "1000000\n");
    write_file("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "900000\n");
    write_file("/sys/fs/cgroup/memory/a/b/memory.stat", "cache 1\ninactive_file 9\ntotal_inactive_file 300000\n");
    struct os_pressure pressure = look();
    ck_assert_uint_eq(pressure.some_percent, 12);
    ck_assert_uint_eq(pressure.full_percent, 7);
    ck_assert_uint_eq(pressure.used_bytes, 600000);
    ck_assert_uint_eq(pressure.limit_bytes, 1000000);
    write_file("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_uint_eq(look().limit_bytes, UINT64_MAX);
}
END_TEST

START_TEST(version_2)
{
    write_file("/proc/self/cgroup", "0::/user.slice/some thing\n");
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.max", "max\n");
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.high", "max\n");
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.current", "5000\n");
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.stat", "anon 1\ninactive_file 1000\nactive_file 7\n");
    ck_assert_uint_eq(look().limit_bytes, UINT64_MAX);
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.max", "8000\n");
    ck_assert_uint_eq(look().limit_bytes, 8000);
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.high", "6000\n");
    write_file("/sys/fs/cgroup/user.slice/some thing/memory.pressure", "some avg10=99.99 avg60=0 avg300=0 total=1\n"
                                                                       "full avg10=0.00 avg60=0 avg300=0 total=0\n");
    struct os_pressure pressure = look();
    ck_assert_uint_eq(pressure.limit_bytes, 6000);
    ck_assert_uint_eq(pressure.used_bytes, 4000);
    ck_assert_uint_eq(pressure.some_percent, 99);
}
END_TEST

START_TEST(what_is_too_long_leads_nowhere)
{
    char line[1500];
    memset(line, 'x', sizeof line);
    memcpy(line, "0::/", 4);
    line[sizeof line - 1] = '\0';
    write_file("/proc/self/cgroup", line);
    ck_assert_uint_eq(look().limit_bytes, UINT64_MAX);
}
END_TEST

START_TEST(this_machine_can_be_read)
{
    struct os_pressure pressure;
    os_pressure_read("", &pressure);
    ck_assert_uint_le(pressure.some_percent, 100);
    ck_assert_uint_le(pressure.full_percent, 100);
    ck_assert(pressure.limit_bytes != 0);
}
END_TEST

static TCase *files(void)
{
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nothing_to_read_is_plenty);
    tcase_add_test(tests, version_1);
    tcase_add_test(tests, version_2);
    tcase_add_test(tests, what_is_too_long_leads_nowhere);
    tcase_add_test(tests, this_machine_can_be_read);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {files};
    return suite_run("os/pressure", makers, 1);
}
