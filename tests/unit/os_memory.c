/* os/memory: what is reserved can't be touched, what is committed reads as zero, and what is moved arrives. */
#include "os/maps.h"
#include "os/memory.h"
#include "support/pattern.h"
#include "support/suite.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { MIB = 1 << 20 };

static sigjmp_buf fault_jump;

static void on_fault(int signal_number)
{
    siglongjmp(fault_jump, signal_number);
}

/* Reads and writes the byte back. Returns false when that faults. */
static bool can_touch(char *address)
{
    struct sigaction action = {.sa_handler = on_fault}, before;
    sigaction(SIGSEGV, &action, &before);
    bool touched = sigsetjmp(fault_jump, 1) == 0;
    if (touched)
        *(volatile char *)address = *(volatile char *)address;
    sigaction(SIGSEGV, &before, NULL);
    return touched;
}

static size_t resident_pages(void *start, size_t size_bytes)
{
    size_t page_bytes = os_page_bytes();
    unsigned char *pages = malloc(size_bytes / page_bytes);
    size_t count = 0;
    ck_assert_int_eq(mincore(start, size_bytes, pages), 0);
    for (size_t i = 0; i < size_bytes / page_bytes; i++)
        count += pages[i] & 1;
    free(pages);
    return count;
}

static char *reserve(size_t size_bytes)
{
    void *start;
    ck_assert_int_eq(os_reserve(size_bytes, MIB, &start), 0);
    return start;
}

static char *commit(size_t size_bytes)
{
    char *start = reserve(size_bytes);
    ck_assert_int_eq(os_commit(start, size_bytes), 0);
    return start;
}

START_TEST(a_reservation_is_aligned_and_can_not_be_touched)
{
    for (size_t align_bytes = os_page_bytes(); align_bytes <= 64 * MIB; align_bytes *= 2) {
        void *start;
        struct os_mapping mapping;
        ck_assert_int_eq(os_reserve(3 * MIB, align_bytes, &start), 0);
        ck_assert_uint_eq((uintptr_t)start % align_bytes, 0);
        ck_assert(!can_touch(start));
        ck_assert(!can_touch((char *)start + 3 * MIB - 1));
        ck_assert_int_eq(os_mapping_find((uintptr_t)start, &mapping), 0);
        ck_assert(!mapping.readable && !mapping.writable);
        os_unreserve(start, 3 * MIB);
        ck_assert_int_eq(os_mapping_find((uintptr_t)start + MIB, &mapping), -ENOENT);
    }
}
END_TEST

START_TEST(a_terabyte_can_be_reserved)
{
    void *start;
    ck_assert_int_eq(os_reserve((size_t)1 << 40, 2 * MIB, &start), 0);
    os_unreserve(start, (size_t)1 << 40);
}
END_TEST

START_TEST(an_absurd_reservation_is_refused)
{
    void *start = &start;
    ck_assert_int_eq(os_reserve((size_t)1 << 60, 2 * MIB, &start), -ENOMEM);
    ck_assert_ptr_eq(start, &start);
}
END_TEST

START_TEST(what_is_committed_reads_as_zero_and_nothing_else_changes)
{
    size_t page_bytes = os_page_bytes();
    char *start = reserve(MIB);
    ck_assert_int_eq(os_commit(start + 4 * page_bytes, 8 * page_bytes), 0);
    ck_assert(all_zero(start + 4 * page_bytes, 8 * page_bytes));
    ck_assert(!can_touch(start + 4 * page_bytes - 1));
    ck_assert(!can_touch(start + 12 * page_bytes));
    pattern_fill(start + 4 * page_bytes, 8 * page_bytes, 1);
    ck_assert_int_eq(os_commit(start + 12 * page_bytes, page_bytes), 0);
    ck_assert(pattern_holds(start + 4 * page_bytes, 8 * page_bytes, 1));
    ck_assert(all_zero(start + 12 * page_bytes, page_bytes));
}
END_TEST

/* Growing piece by piece must not use up the process's mappings. */
START_TEST(neighbours_become_one_mapping)
{
    size_t page_bytes = os_page_bytes();
    char *start = reserve(MIB);
    struct os_mapping mapping;
    for (size_t offset = 0; offset < MIB / 2; offset += page_bytes)
        ck_assert_int_eq(os_commit(start + offset, page_bytes), 0);
    ck_assert_int_eq(os_mapping_find((uintptr_t)start, &mapping), 0);
    ck_assert_uint_eq(mapping.end, (uintptr_t)start + MIB / 2);
}
END_TEST

START_TEST(purged_pages_are_gone_and_read_as_zero)
{
    char *start = commit(MIB);
    pattern_fill(start, MIB, 2);
    ck_assert_uint_eq(resident_pages(start, MIB), MIB / os_page_bytes());
    os_purge(start + MIB / 4, MIB / 2);
    ck_assert_uint_eq(resident_pages(start + MIB / 4, MIB / 2), 0);
    ck_assert(all_zero(start + MIB / 4, MIB / 2));
    ck_assert(pattern_holds(start, MIB / 4, 2));
    ck_assert(can_touch(start + MIB / 2));
}
END_TEST

START_TEST(moved_pages_arrive_and_leave_zeros)
{
    char *from = commit(4 * MIB);
    char *to = from + 2 * MIB;
    pattern_fill(from, MIB, 3);
    memset(to, 'x', 2 * MIB);
    ck_assert_int_eq(os_move_pages(from, to, MIB), 0);
    ck_assert(pattern_holds(to, MIB, 3));
    ck_assert_int_eq(to[MIB], 'x');
    ck_assert_uint_eq(resident_pages(from, MIB), 0);
    ck_assert(all_zero(from, MIB));
    ck_assert(can_touch(from));
}
END_TEST

/* A moved piece is a mapping of its own; with what lies behind it a range has two, which the kernel may refuse. */
START_TEST(a_refused_move_leaves_both_ranges_usable)
{
    char *from = commit(8 * MIB);
    char *middle = from + 2 * MIB;
    char *to = from + 5 * MIB;
    pattern_fill(from, MIB, 4);
    ck_assert_int_eq(os_move_pages(from, middle, MIB), 0);
    pattern_fill(middle, 2 * MIB, 5);
    int result = os_move_pages(middle, to, 2 * MIB);
    for (char *at = to; at < to + 2 * MIB; at += os_page_bytes()) {
        ck_assert(can_touch(at));
        ck_assert(can_touch(middle + (at - to)));
    }
    ck_assert(pattern_holds(result == 0 ? to : middle, 2 * MIB, 5));
}
END_TEST

/* A range that pages were moved to comes back as one mapping with its neighbours. */
START_TEST(a_renewed_range_is_zero_and_merges)
{
    char *start = commit(4 * MIB);
    struct os_mapping mapping;
    memset(start, 'x', MIB);
    ck_assert_int_eq(os_move_pages(start, start + 2 * MIB, MIB), 0);
    ck_assert_int_eq(os_renew(start + 2 * MIB, MIB, false), 0);
    ck_assert_int_eq(os_renew(start, MIB, false), 0);
    ck_assert(all_zero(start, 4 * MIB));
    ck_assert(can_touch(start + 2 * MIB));
    memset(start, 'y', 4 * MIB);
    ck_assert_int_eq(os_mapping_find((uintptr_t)start, &mapping), 0);
    ck_assert(mapping.readable && mapping.writable);
}
END_TEST

/* Whether the mapping at the address is left out of core dumps: smaps says "dd" for it. */
static bool is_left_out_of_dumps(const void *address)
{
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[400];
    unsigned long start, end;
    bool inside = false, found = false;
    ck_assert_ptr_nonnull(smaps);
    while (fgets(line, sizeof line, smaps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = (uintptr_t)address >= start && (uintptr_t)address < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " dd") != NULL;
    }
    fclose(smaps);
    return found;
}

/* A terabyte of nothing would make core dumps useless; the blocks are what one wants of them. */
START_TEST(only_what_is_committed_is_dumped)
{
    char *start = reserve(4 * MIB);
    ck_assert_int_eq(os_commit(start + MIB, MIB), 0);
    ck_assert(is_left_out_of_dumps(start));
    ck_assert(!is_left_out_of_dumps(start + MIB));
    ck_assert(!is_left_out_of_dumps(start + 2 * MIB - 1));
    ck_assert(is_left_out_of_dumps(start + 2 * MIB));
}
END_TEST

START_TEST(injected_failures_come_when_they_should)
{
    char *start = reserve(MIB);
    size_t page_bytes = os_page_bytes();
    int failures[20];
    os_memory_fail(3, 5);
    for (int i = 0; i < 20; i++)
        failures[i] = os_commit(start, page_bytes);
    os_memory_fail(0, 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(failures[i], i + 1 == 3 || (i + 1) % 5 == 0 ? -ENOMEM : 0);
    ck_assert_int_eq(os_commit(start, page_bytes), 0);
}
END_TEST

START_TEST(an_injected_failure_of_a_move_moves_nothing)
{
    char *from = commit(4 * MIB);
    pattern_fill(from, MIB, 6);
    pattern_fill(from + 2 * MIB, MIB, 7);
    os_memory_fail(0, 1);
    int result = os_move_pages(from, from + 2 * MIB, MIB);
    os_memory_fail(0, 0);
    ck_assert_int_eq(result, -ENOMEM);
    ck_assert(pattern_holds(from, MIB, 6));
    ck_assert(pattern_holds(from + 2 * MIB, MIB, 7));
}
END_TEST

START_TEST(the_address_space_limit_is_seen)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    if (limit.rlim_max == RLIM_INFINITY)
        ck_assert_uint_eq(os_address_space_left(), SIZE_MAX);
    limit.rlim_cur = (rlim_t)1 << 46;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_uint_le(os_address_space_left(), (size_t)1 << 46);
}
END_TEST

static TCase *memory(void)
{
    TCase *tests = tcase_create("memory");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_reservation_is_aligned_and_can_not_be_touched);
    tcase_add_test(tests, a_terabyte_can_be_reserved);
    tcase_add_test(tests, an_absurd_reservation_is_refused);
    tcase_add_test(tests, what_is_committed_reads_as_zero_and_nothing_else_changes);
    tcase_add_test(tests, neighbours_become_one_mapping);
    tcase_add_test(tests, purged_pages_are_gone_and_read_as_zero);
    tcase_add_test(tests, moved_pages_arrive_and_leave_zeros);
    tcase_add_test(tests, a_refused_move_leaves_both_ranges_usable);
    tcase_add_test(tests, a_renewed_range_is_zero_and_merges);
    tcase_add_test(tests, only_what_is_committed_is_dumped);
    tcase_add_test(tests, injected_failures_come_when_they_should);
    tcase_add_test(tests, an_injected_failure_of_a_move_moves_nothing);
    tcase_add_test(tests, the_address_space_limit_is_seen);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {memory};
    return suite_run("os/memory", makers, 1);
}
