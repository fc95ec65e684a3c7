/*
 * os/tracking: every write is seen, whoever makes it; and whatever is done to the memory or the descriptors, nothing
 * that was written counts as unwritten.
 */
#include "os/memory.h"
#include "os/tracking.h"
#include "support/refuse.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 64 };

static size_t page_bytes;
static bool available;
static char *area;
static bool seen[PAGES]; /* what the last call visited, by page */
static size_t seen_outside;

static void mark_seen(uintptr_t start, uintptr_t end, void *context)
{
    (void)context;
    for (; start < end; start += page_bytes) {
        size_t page = (start - (uintptr_t)area) / page_bytes;
        if (page < PAGES)
            seen[page] = true;
        else
            seen_outside++;
    }
}

static int epoch(void)
{
    memset(seen, 0, sizeof seen);
    return os_tracking_epoch((uintptr_t)area, (uintptr_t)area + PAGES * page_bytes, mark_seen, NULL);
}

static int dirty(void)
{
    memset(seen, 0, sizeof seen);
    return os_tracking_dirty((uintptr_t)area, (uintptr_t)area + PAGES * page_bytes, mark_seen, NULL);
}

static size_t seen_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < PAGES; i++)
        count += seen[i];
    return count;
}

static void *map_area(void)
{
    void *start = mmap(NULL, PAGES * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(start, MAP_FAILED);
    return start;
}

/* Whether the kernel lets this process have what it takes, asked without the code under test. */
static bool kernel_can(void)
{
    struct uffdio_api api = {.api = UFFD_API, .features = 1 << 15 | 1 << 13};
    int descriptor = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1);
    bool can = descriptor >= 0 && ioctl(descriptor, UFFDIO_API, &api) == 0;
    close(descriptor);
    return can && access("/proc/self/pagemap", R_OK) == 0;
}

/* Every page written, then protected. */
static void start(void)
{
    page_bytes = os_page_bytes();
    area = map_area();
    memset(area, 1, PAGES * page_bytes);
    available = os_tracking_start() == 0;
    ck_assert_int_eq(available, kernel_can());
    seen_outside = 0;
    int result = epoch();
    ck_assert_int_eq(result == 0, available);
    ck_assert_uint_eq(seen_count(), PAGES);
}

/* With or without tracking the page must be seen; with it, no other one. */
static void expect_only(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        ck_assert(seen[i]);
    if (available)
        ck_assert_uint_eq(seen_count(), count);
}

START_TEST(writes_of_the_program)
{
    ck_assert_int_eq(dirty() == 0, available);
    expect_only(0, 0);
    area[5 * page_bytes + 7] = 2;
    dirty();
    expect_only(5, 1);
    dirty();
    expect_only(5, 1);
    epoch();
    expect_only(5, 1);
    dirty();
    expect_only(0, 0);
    area[5 * page_bytes] = 3;
    memset(area + 8 * page_bytes, 1, 3 * page_bytes);
    epoch();
    ck_assert(seen[5] && seen[8] && seen[9] && seen[10]);
    ck_assert_uint_eq(seen_outside, 0);
}
END_TEST

START_TEST(writes_of_the_kernel)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(read(ends[0], area + 3 * page_bytes, 1), 1);
    dirty();
    expect_only(3, 1);
    epoch();
    char byte = 7;
    struct iovec here = {&byte, 1}, there = {area + 4 * page_bytes, 1};
    ck_assert_int_eq(process_vm_writev(getpid(), &here, 1, &there, 1, 0), 1);
    dirty();
    expect_only(4, 1);
    epoch();
    int memory = open("/proc/self/mem", O_RDWR);
    ck_assert_int_eq(pwrite(memory, "y", 1, (off_t)(uintptr_t)(area + 6 * page_bytes)), 1);
    dirty();
    expect_only(6, 1);
}
END_TEST

static void *write_page(void *address)
{
    *(volatile char *)address = 9;
    return NULL;
}

START_TEST(writes_of_another_thread)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, write_page, area + 20 * page_bytes), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    dirty();
    ck_assert(seen[20]);
}
END_TEST

/* Dropped pages hold nothing and are not visited; written again they are. */
START_TEST(pages_dropped_and_written_again)
{
    ck_assert_int_eq(madvise(area, 4 * page_bytes, MADV_DONTNEED), 0);
    area[2 * page_bytes] = 1;
    dirty();
    ck_assert(seen[2]);
    epoch();
    ck_assert(seen[2]);
    dirty();
    expect_only(0, 0);
    area[page_bytes] = 1;
    dirty();
    expect_only(1, 1);
}
END_TEST

START_TEST(pages_never_touched_are_not_visited)
{
    if (!available)
        return;
    char *fresh = map_area();
    char *written = area;
    area = fresh;
    ck_assert_int_eq(epoch(), 0);
    ck_assert_uint_eq(seen_count(), 0);
    fresh[7 * page_bytes] = 1;
    ck_assert_int_eq(dirty(), 0);
    expect_only(7, 1);
    area = written;
}
END_TEST

START_TEST(a_mapping_made_anew)
{
    void *place = area + 8 * page_bytes;
    ck_assert_int_eq(os_renew(place, 4 * page_bytes, false), 0);
    area[9 * page_bytes] = 1;
    dirty();
    ck_assert(seen[9]);
    epoch();
    ck_assert(seen[9]);
    dirty();
    expect_only(0, 0);
    area[9 * page_bytes] = 2;
    dirty();
    expect_only(9, 1);
}
END_TEST

/* Protected pages that came from elsewhere: they may count as written, and a write to them must. */
START_TEST(pages_moved_within_the_range)
{
    if (os_move_pages(area, area + 32 * page_bytes, 4 * page_bytes) != 0)
        return;
    area[33 * page_bytes] = 5;
    dirty();
    ck_assert(seen[33]);
    epoch();
    ck_assert(seen[33]);
    dirty();
    expect_only(0, 0);
    area[33 * page_bytes] = 6;
    dirty();
    expect_only(33, 1);
}
END_TEST

/* As the heap does when it grows. */
/* Half of it is another mapping, since it was mapped anew: such a move may fail, after some of it has been done. */
START_TEST(a_move_that_fails_loses_nothing)
{
    char *half = area + PAGES / 2 * page_bytes;
    ck_assert_int_eq(os_renew(half, PAGES / 2 * page_bytes, false), 0);
    for (size_t i = 0; i < PAGES; i++)
        memset(area + i * page_bytes, (int)i + 1, page_bytes);
    char *target = map_area();
    int result = os_move_pages(area, target, PAGES * page_bytes);
    const char *where = result == 0 ? target : area;
    for (size_t i = 0; i < PAGES * page_bytes; i++)
        if (where[i] != (char)(i / page_bytes + 1))
            ck_abort_msg("byte %zu is lost, result %d", i, result);
}
END_TEST

START_TEST(memory_made_writable_later)
{
    void *reserved;
    ck_assert_int_eq(os_reserve(PAGES * page_bytes, page_bytes, &reserved), 0);
    area = reserved;
    ck_assert_int_eq(epoch() == 0, available);
    ck_assert_int_eq(os_commit(area, 16 * page_bytes), 0);
    area[page_bytes] = 1;
    dirty();
    ck_assert(seen[1]);
    epoch();
    dirty();
    expect_only(0, 0);
    area[page_bytes] = 2;
    area[2 * page_bytes] = 2;
    dirty();
    expect_only(1, 2);
}
END_TEST

START_TEST(a_child_of_fork_knows_nothing_and_harms_nobody)
{
    pid_t child = fork();
    if (child == 0) {
        area[0] = 2;
        bool all = dirty() != 0 && seen_count() == PAGES;
        os_tracking_forget();
        all &= epoch() != 0 && seen_count() == PAGES;
        all &= (os_tracking_start() == 0) == available;
        all &= (epoch() == 0) == available && seen_count() == PAGES;
        area[5 * page_bytes] = 1;
        dirty();
        all &= seen[5] && (!available || seen_count() == 1);
        _exit(all ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    dirty();
    expect_only(0, 0);
    area[page_bytes] = 1;
    dirty();
    expect_only(1, 1);
}
END_TEST

/* Some programs close all that they have not opened, and go on to open files of their own by the same numbers. */
START_TEST(closed_descriptors)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    for (int number = 3; number < 1024; number++)
        close(number);
    area[page_bytes] = 1;
    ck_assert_int_ne(dirty(), 0);
    ck_assert_uint_eq(seen_count(), PAGES);
    int first = open("/dev/null", O_RDONLY);
    for (int number = 500; number < 510; number++)
        ck_assert_int_eq(dup2(first, number), number);
    ck_assert_int_ne(epoch(), 0);
    ck_assert_uint_eq(seen_count(), PAGES);
    os_tracking_stop();
    for (int number = 500; number < 510; number++)
        ck_assert_int_ge(fcntl(number, F_GETFD), 0);
    ck_assert_int_eq(os_tracking_start() == 0, available);
    epoch();
    ck_assert_uint_eq(seen_count(), PAGES);
    dirty();
    expect_only(0, 0);
}
END_TEST

START_TEST(a_process_without_proc_goes_on)
{
    if (getuid() != 0 || chroot("/var/empty") != 0)
        if (getuid() != 0 || chroot("/boot") != 0)
            return;
    area[page_bytes] = 1;
    dirty();
    expect_only(1, 1);
    epoch();
    dirty();
    expect_only(0, 0);
    _exit(0); /* LeakSanitizer, which runs at exit, needs /proc */
}
END_TEST

START_TEST(stopped_means_all_is_written)
{
    os_tracking_stop();
    ck_assert(!os_tracking_is_on());
    ck_assert_int_ne(dirty(), 0);
    ck_assert_uint_eq(seen_count(), PAGES);
    ck_assert_int_eq(os_tracking_start() == 0, available);
    epoch();
    ck_assert_uint_eq(seen_count(), PAGES);
}
END_TEST

/* As in most containers. */
START_TEST(where_a_filter_forbids_it)
{
    os_tracking_stop();
    if (!refuse_call(SYS_userfaultfd, EPERM))
        return;
    int before = open("/dev/null", O_RDONLY);
    ck_assert_int_eq(os_tracking_start(), -EPERM);
    ck_assert_int_eq(open("/dev/null", O_RDONLY), before + 1);
    ck_assert_int_ne(epoch(), 0);
    ck_assert_uint_eq(seen_count(), PAGES);
}
END_TEST

/* A filter that comes later. */
START_TEST(where_asking_is_forbidden_later)
{
    if (!refuse_call(SYS_ioctl, EPERM))
        return;
    ck_assert_int_ne(dirty(), 0);
    ck_assert_uint_eq(seen_count(), PAGES);
    ck_assert_int_ne(epoch(), 0);
    ck_assert_uint_eq(seen_count(), PAGES);
}
END_TEST

/* More runs than one answer of the kernel's holds. */
START_TEST(many_runs)
{
    enum { MANY = 8192 };
    if (!available)
        return;
    size_t size_bytes = MANY * page_bytes;
    char *wide = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(wide, 1, size_bytes);
    uintptr_t begin = (uintptr_t)wide, end = begin + size_bytes;
    seen_outside = 0;
    ck_assert_int_eq(os_tracking_epoch(begin, end, mark_seen, NULL), 0);
    ck_assert_uint_eq(seen_outside, MANY);
    for (size_t i = 0; i < MANY; i += 2)
        wide[i * page_bytes] = 2;
    for (int round = 0; round < 2; round++) {
        seen_outside = 0;
        ck_assert_int_eq(os_tracking_dirty(begin, end, mark_seen, NULL), 0);
        ck_assert_uint_eq(seen_outside, MANY / 2);
    }
    seen_outside = 0;
    ck_assert_int_eq(os_tracking_epoch(begin, end, mark_seen, NULL), 0);
    ck_assert_uint_eq(seen_outside, MANY / 2);
    seen_outside = 0;
    ck_assert_int_eq(os_tracking_dirty(begin, end, mark_seen, NULL), 0);
    ck_assert_uint_eq(seen_outside, 0);
}
END_TEST

static TCase *tracking(void)
{
    TCase *tests = tcase_create("tracking");
    tcase_add_checked_fixture(tests, start, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, writes_of_the_program);
    tcase_add_test(tests, writes_of_the_kernel);
    tcase_add_test(tests, writes_of_another_thread);
    tcase_add_test(tests, pages_dropped_and_written_again);
    tcase_add_test(tests, pages_never_touched_are_not_visited);
    tcase_add_test(tests, a_mapping_made_anew);
    tcase_add_test(tests, pages_moved_within_the_range);
    tcase_add_test(tests, a_move_that_fails_loses_nothing);
    tcase_add_test(tests, memory_made_writable_later);
    tcase_add_test(tests, a_child_of_fork_knows_nothing_and_harms_nobody);
    tcase_add_test(tests, closed_descriptors);
    tcase_add_exit_test(tests, a_process_without_proc_goes_on, 0);
    tcase_add_test(tests, stopped_means_all_is_written);
    tcase_add_test(tests, where_a_filter_forbids_it);
    tcase_add_test(tests, where_asking_is_forbidden_later);
    tcase_add_test(tests, many_runs);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {tracking};
    return suite_run("os/tracking", makers, 1);
}
