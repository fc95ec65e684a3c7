/*
 * os: kernels and sandboxes that refuse what is asked of them. A filter stands for them, since no test machine is that old.
 */
#include "heap/walk.h"
#include "os/memory.h"
#include "os/random.h"
#include "support/pattern.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MIB = 1 << 20, ARGUMENT_FLAGS = 3, GROWN = 12 };

/* From now on the call fails if all of `bits` are set in its argument. False where filters are not to be had. */
static bool refuse(int number, int argument, unsigned bits, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 (unsigned)(offsetof(struct seccomp_data, args) + 8 * (unsigned)argument)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ENOSYS before Linux 3.17; EAGAIN as long as the kernel has gathered too little. */
START_TEST(random_bits_without_getrandom)
{
    if (!refuse(SYS_getrandom, 1, 0, _i == 0 ? ENOSYS : EAGAIN))
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

/* Before Linux 5.7: nothing was touched, and nobody asks again. */
START_TEST(moves_that_the_kernel_does_not_know)
{
    char *from = filled_range(1), *to = filled_range(2);
    if (!refuse(SYS_mremap, ARGUMENT_FLAGS, MREMAP_DONTUNMAP, EINVAL))
        return;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(os_move_pages(from, to, MIB), -ENOMEM);
    ck_assert(pattern_holds(from, MIB, 1));
    ck_assert(pattern_holds(to, MIB, 2));
}
END_TEST

/* ENOMEM: the target may be gone. */
START_TEST(moves_that_fail_half_way)
{
    char *from = filled_range(1), *to = filled_range(2);
    if (!refuse(SYS_mremap, ARGUMENT_FLAGS, MREMAP_DONTUNMAP, ENOMEM))
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
    char *block = allocate(MIB);
    pattern_fill(block, MIB, 0);
    if (!refuse(SYS_mremap, ARGUMENT_FLAGS, MREMAP_DONTUNMAP, _i == 0 ? EINVAL : ENOMEM))
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
    if (!refuse(SYS_madvise, 2, MADV_DONTNEED, EPERM))
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
