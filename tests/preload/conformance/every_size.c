/*
 * Every size from 0 to 70 KiB, past the largest size class, in every way to get it. Blocks stay
 * alive for a while in a ring, filled to the brim with bytes of their own, so that two that overlap
 * spoil each other.
 */
#include "preload/conformance/cases.h"
#include "support/pattern.h"
#include "support/subject.h"
#include "support/suite.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_SIZE = 70 * 1024, RING = 128 };

struct held {
    char *block;
    size_t size_bytes;
    unsigned seed;
};
static struct held ring[RING];

static void let_go(struct held *held)
{
    if (!pattern_holds(held->block, held->size_bytes, held->seed))
        ck_abort_msg("block of %zu bytes at %p was overwritten", held->size_bytes,
                     (void *)held->block);
    free(held->block);
    held->block = NULL;
}

/* Blocks of the ring must not share a byte of their usable extents. Quadratic, so asked for now and
 * then only. */
static void check_disjoint(void)
{
    for (int i = 0; i < RING; i++)
        for (int j = 0; j < i; j++) {
            char *a = ring[i].block, *b = ring[j].block;

            if (a == NULL || b == NULL)
                continue;
            hot_assert(a < b ? a + malloc_usable_size(a) <= b : b + malloc_usable_size(b) <= a,
                       "blocks are apart");
        }
}

static void hold(void *block, size_t size, unsigned position)
{
    struct held *held = &ring[position % RING];

    hot_assert(block != NULL, "a block was allocated");
    hot_assert((uintptr_t)block % 16 == 0, "the block is aligned to 16");
    hot_assert(malloc_usable_size(block) >= size, "the usable size is at least the request");
    if (held->block != NULL)
        let_go(held);
    *held = (struct held){.block = block, .size_bytes = size, .seed = position};
    pattern_fill(block, size, position);
    if (position % 1024 == 0)
        check_disjoint();
}

static void let_all_go(void)
{
    for (int i = 0; i < RING; i++)
        if (ring[i].block != NULL)
            let_go(&ring[i]);
    ck_assert(subject_verify());
}

START_TEST(malloc_every_size)
{
    for (unsigned size = 0; size <= LAST_SIZE; size++)
        hold(malloc(size), size, size);
    let_all_go();
}
END_TEST

/* Downward, so that small sizes meet slots that larger ones have left dirty. */
START_TEST(calloc_every_size)
{
    for (unsigned size = LAST_SIZE + 1; size-- > 0;) {
        void *block = size % 2 == 0 ? calloc(1, size) : calloc(size, 1);

        hot_assert(block != NULL && all_zero(block, size), "calloc's block is zero");
        hold(block, size, size);
    }
    let_all_go();
}
END_TEST

START_TEST(realloc_through_every_size)
{
    char *block = NULL;

    for (unsigned size = 1; size <= LAST_SIZE; size++) {
        block = realloc(block, size);
        hot_assert(block != NULL, "the block grew");
        block[size - 1] = (char)(size * 31 >> 3);
    }
    for (unsigned size = LAST_SIZE; size >= 1; size--) {
        block = realloc(block, size);
        hot_assert(block != NULL && block[size - 1] == (char)(size * 31 >> 3),
                   "the last byte is kept");
    }
    free(block);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(memalign_every_size)
{
    static const size_t alignments[] = {16, 32, 64, 128, 256, 512, 4096, 16384, 65536};

    for (unsigned size = 0; size <= LAST_SIZE; size++) {
        size_t alignment = alignments[size % (sizeof alignments / sizeof *alignments)];
        void *block = memalign(alignment, size);

        hot_assert((uintptr_t)block % alignment == 0, "the block is aligned");
        hold(block, size, size);
    }
    let_all_go();
}
END_TEST

/* The usual mixture: each of the ways in turn while the others' blocks are alive, freed in another
 * order. */
START_TEST(mixed_every_third_size)
{
    for (unsigned size = 0; size <= LAST_SIZE; size += 3) {
        unsigned position = size * 2654435761u >> 8;
        void *block = size % 4 == 0   ? malloc(size)
                      : size % 4 == 1 ? calloc(size, 1)
                      : size % 4 == 2 ? realloc(malloc(size / 2), size)
                                      : memalign(64, size);

        hold(block, size, position);
    }
    let_all_go();
}
END_TEST

TCase *every_size_case(void)
{
    TCase *test_case = tcase_create("every size");

    tcase_set_timeout(test_case, 120);
    tcase_add_test(test_case, malloc_every_size);
    tcase_add_test(test_case, calloc_every_size);
    tcase_add_test(test_case, realloc_through_every_size);
    tcase_add_test(test_case, memalign_every_size);
    tcase_add_test(test_case, mixed_every_third_size);
    return test_case;
}
