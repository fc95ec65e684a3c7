/*
 * os: kernels and sandboxes that refuse what is asked of them. A filter stands for them, since no test machine is that old.
 */
#include "heap/walk.h"
#include "os/memory.h"
#include "os/random.h"
#include "support/pattern.h"
#include "support/refuse.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MIB = 1 << 20, ARGUMENT_FLAGS = 3, GROWN = 12 };

/* ENOSYS before Linux 3.17; EAGAIN as long as the kernel has gathered too little. */
START_TEST(random_bits_without_getrandom)
{
    if (!refuse_call(SYS_getrandom, _i == 0 ? ENOSYS : EAGAIN))
        return;
    uint64_t first = os_random(), second = os_random();
    ck_assert_uint_ne(first, 0);
    ck_assert_uint_ne(first, second);
}
END_TEST

static char *filled_range(unsigned seed)
{
    void *start = NULL;
    ck_assert_int_eq(os_working_area(&start, 0, MIB), 0);
    pattern_fill(start, MIB, seed);
    return start;
}

/* Before Linux 5.7: what was to be moved is where it was, and nobody asks again. */
START_TEST(moves_that_the_kernel_does_not_know)
{
    char *from = filled_range(1), *to = filled_range(2);
    if (!refuse_call_with(SYS_mremap, ARGUMENT_FLAGS, MREMAP_DONTUNMAP, MREMAP_DONTUNMAP, EINVAL))
        return;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(os_move_pages(from, to, MIB), -ENOMEM);
    ck_assert(pattern_holds(from, MIB, 1));
    pattern_fill(to, MIB, 2);
    ck_assert_int_eq(os_move_pages(from, to, MIB), -ENOMEM);
    ck_assert(pattern_holds(to, MIB, 2)); /* nobody asked */
}
END_TEST

/* ENOMEM: the target may be gone. */
START_TEST(moves_that_fail_half_way)
{
    char *from = filled_range(1), *to = filled_range(2);
    if (!refuse_call_with(SYS_mremap, ARGUMENT_FLAGS, MREMAP_DONTUNMAP, MREMAP_DONTUNMAP, ENOMEM))
        return;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(os_move_pages(from, to, MIB), -EFAULT);
    ck_assert(pattern_holds(from, MIB, 1));
    ck_assert_int_eq(os_renew(to, MIB, false), 0);
    ck_assert(all_zero(to, MIB));
}
END_TEST

/* A block that can be neither moved nor grown in place is copied. */
START_TEST(blocks_grow_without_moves)
{
    start_heap();
    char *garbage = allocate(40 * MIB); /* where the block goes pages are dirty */
    pattern_fill(garbage, 40 * MIB, 77);
    char *block = allocate(MIB);
    pattern_fill(block, MIB, 0);
    heap_free(garbage);
    if (!refuse_call_with(SYS_mremap, ARGUMENT_FLAGS, MREMAP_DONTUNMAP, MREMAP_DONTUNMAP, _i == 0 ? EINVAL : ENOMEM))
        return;
    for (unsigned i = 0; i < GROWN; i++) {
        void *resized = NULL;
        allocate(MIB / 2); /* in the way */
        ck_assert_int_eq(heap_resize(block, (i + 2) * MIB, NULL, &resized), 0);
        block = resized;
        ck_assert(pattern_holds(block, (i + 1) * MIB, i));
        pattern_fill(block, (i + 2) * MIB, i + 1);
    }
    expect_sound_heap();
    ck_assert_uint_eq(atomic_load(&gca_image->moved_bytes), 0);
}
END_TEST

/* What could not be purged is still known as dirty. */
START_TEST(memory_that_is_not_taken_back)
{
    enum { BLOCKS = 64 };
    char *blocks[BLOCKS];
    start_heap();
    if (!refuse_call_with(SYS_madvise, 2, MADV_DONTNEED, MADV_DONTNEED, EPERM))
        return;
    for (unsigned i = 0; i < BLOCKS; i++)
        pattern_fill(blocks[i] = allocate(200000), 200000, i);
    for (unsigned i = 0; i < BLOCKS; i++)
        heap_free(blocks[i]);
    ck_assert_uint_eq(heap_trim(), 0);
    ck_assert_uint_ge(units_dirty(), BLOCKS * (200000 / UNIT_BYTES));
    expect_sound_heap();
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_allocate_zeroed(200000);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert(all_zero(blocks[i], 200000));
    }
    expect_sound_heap();
}
END_TEST

static TCase *refused(void)
{
    TCase *tests = tcase_create("refused");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, random_bits_without_getrandom, 0, 2);
    tcase_add_test(tests, moves_that_the_kernel_does_not_know);
    tcase_add_test(tests, moves_that_fail_half_way);
    tcase_add_loop_test(tests, blocks_grow_without_moves, 0, 2);
    tcase_add_test(tests, memory_that_is_not_taken_back);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {refused};
    return suite_run("os refused", makers, 1);
}
