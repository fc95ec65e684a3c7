/* heap/statistics: the counts against a model, and that no copy of an image, however spoilt, leads astray. */
#include "heap/statistics.h"
#include "base/bits.h"
#include "heap/lookup.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 4000 };

static void *blocks[BLOCKS];

/* What the heap should say, from the program's point of view. */
struct model {
    uint64_t blocks;
    uint64_t bytes;
    uint64_t large_blocks;
    uint64_t large_bytes;
    uint64_t by_class[CLASS_COUNT];
};

static struct model count_blocks(void)
{
    struct model model = {0};
    for (int i = 0; i < BLOCKS; i++) {
        if (blocks[i] == NULL)
            continue;
        size_t size_bytes = lookup_usable_size(blocks[i]);
        bool is_large = size_bytes > CLASS_BYTES_MAX;
        model.blocks++;
        model.bytes += size_bytes;
        model.large_blocks += is_large;
        model.large_bytes += is_large ? size_bytes : 0;
        if (!is_large)
            model.by_class[class_of(size_bytes)]++;
    }
    return model;
}

static void replace_blocks(int index, void *context)
{
    struct random *random = context;
    (void)index;
    for (int i = 0; i < BLOCKS; i++) {
        size_t which = random_below(random, BLOCKS);
        heap_free(blocks[which]);
        blocks[which] =
            random_below(random, 3) == 0 ? NULL : heap_allocate(random_size(random, 1 << 20));
    }
}

static gca_heap_stats collect(void)
{
    gca_heap_stats stats;
    run_lock();
    int result = statistics_collect(gca_image, &stats);
    run_unlock();
    ck_assert_int_eq(result, 0);
    return stats;
}

static void add_kept(struct thread_heap *heap, void *context)
{
    *(uint64_t *)context += (uint64_t)heap->kept_units << UNIT_SHIFT;
}

/* Large blocks that were freed but stay with the threads that did. */
static uint64_t kept_bytes(void)
{
    uint64_t kept = 0;
    thread_heap_each(add_kept, &kept);
    return kept;
}

static void expect_as_model(void)
{
    struct model model = count_blocks();
    gca_heap_stats stats = collect();
    gca_class_stats rows[CLASS_COUNT];
    ck_assert_uint_eq(stats.blocks, model.blocks);
    ck_assert_uint_eq(stats.allocated_bytes, model.bytes);
    ck_assert_uint_eq(stats.large_blocks, model.large_blocks);
    ck_assert_uint_eq(stats.large_bytes, model.large_bytes);
    ck_assert_uint_eq(stats.span_bytes, units_taken() * UNIT_BYTES);
    ck_assert_uint_eq(stats.dirty_bytes, units_dirty() * UNIT_BYTES);
    ck_assert_uint_eq(stats.reserved_bytes, gca_image->size_bytes);
    ck_assert_uint_ge(stats.committed_bytes, stats.span_bytes + stats.dirty_bytes);
    ck_assert_uint_gt(stats.metadata_bytes, 0);
    ck_assert_uint_eq(statistics_collect_classes(gca_image, rows, CLASS_COUNT), CLASS_COUNT);
    uint64_t spans = 0, free_bytes = 0;
    for (int i = 0; i < CLASS_COUNT; i++) {
        ck_assert_uint_eq(rows[i].slot_bytes, class_slot_bytes[i]);
        ck_assert_uint_eq(rows[i].blocks, model.by_class[i]);
        ck_assert_uint_eq(rows[i].slots,
                          rows[i].spans * (class_unit_count[i] * UNIT_BYTES / class_slot_bytes[i]));
        spans += rows[i].spans;
        free_bytes += (rows[i].slots - rows[i].blocks) * class_slot_bytes[i];
    }
    ck_assert_uint_eq(stats.spans, spans);
    ck_assert_uint_eq(stats.free_slot_bytes, free_bytes + kept_bytes());
}

START_TEST(the_counts_are_the_models)
{
    struct random random = {1};
    start_heap();
    for (int round = 0; round < 8; round++) {
        replace_blocks(0, &random);
        expect_as_model();
        threads_run_one(replace_blocks, &random);
        expect_as_model();
    }
    for (int i = 0; i < BLOCKS; i++) {
        heap_free(blocks[i]);
        blocks[i] = NULL;
    }
    expect_as_model();
}
END_TEST

START_TEST(threads_are_counted)
{
    struct random random = {2};
    struct helper *helpers[3];
    start_heap();
    for (int i = 0; i < 3; i++) {
        helpers[i] = helper_start();
        helper_do(helpers[i], replace_blocks, &random);
        ck_assert_uint_eq(collect().threads, (unsigned)i + 2);
        ck_assert_uint_eq(collect().parked_threads, 0);
    }
    helper_end(helpers[1]);
    ck_assert_uint_eq(collect().threads, 3);
    ck_assert_uint_eq(collect().parked_threads, 1);
    helper_end(helpers[0]);
    helper_end(helpers[2]);
    ck_assert_uint_eq(collect().threads, 1);
    ck_assert_uint_eq(collect().parked_threads, 3);
}
END_TEST

START_TEST(what_was_purged_and_moved_is_counted)
{
    void *moved;
    start_heap();
    void *block = allocate(1 << 20);
    memset(block, 1, 1 << 20);
    allocate(CLASS_BYTES_MAX + 1);
    ck_assert_int_eq(heap_resize(block, 3 << 20, NULL, &moved), 0);
    ck_assert_uint_eq(collect().moved_bytes, 1 << 20);
    memset(moved, 1, 3 << 20);
    heap_free(moved);
    run_purge_all();
    ck_assert_uint_eq(collect().dirty_bytes, 0);
    ck_assert_uint_eq(collect().purged_bytes, atomic_load(&gca_image->purged_bytes));
}
END_TEST

START_TEST(fewer_rows_than_classes_may_be_asked_for)
{
    gca_class_stats rows[3];
    start_heap();
    allocate(20);
    memset(rows, 0xff, sizeof rows);
    ck_assert_uint_eq(statistics_collect_classes(gca_image, NULL, 0), CLASS_COUNT);
    ck_assert_uint_eq(statistics_collect_classes(gca_image, rows, 2), CLASS_COUNT);
    ck_assert_uint_eq(rows[0].blocks, 0);
    ck_assert_uint_eq(rows[1].blocks, 1);
    ck_assert_uint_eq(rows[2].blocks, UINT64_MAX);
}
END_TEST

START_TEST(what_is_no_image_of_ours_is_refused)
{
    gca_heap_stats stats;
    start_heap();
    struct image image = *gca_image;
    ck_assert_int_eq(statistics_collect(NULL, &stats), -EINVAL);
    ck_assert_int_eq(statistics_collect(&image, NULL), -EINVAL);
    image.magic[0] ^= 1;
    ck_assert_int_eq(statistics_collect(&image, &stats), -EINVAL);
    image = *gca_image;
    image.version++;
    ck_assert_int_eq(statistics_collect(&image, &stats), -EINVAL);
    image = *gca_image;
    image.span_record_bytes--;
    ck_assert_int_eq(statistics_collect(&image, &stats), -EINVAL);
}
END_TEST

/* ---- copies ---- */

/*
 * The image as a tool has it: the heap itself is gone, and header, unit table and metadata lie at their addresses with
 * nothing but unmapped memory around them, so that a stray read faults.
 */
struct part {
    char *start;
    char *copy;
    size_t size_bytes;
};

static struct part parts[3];

static struct part save(uintptr_t start, size_t size_bytes)
{
    struct part part = {(char *)start, malloc(size_bytes), size_bytes};
    memcpy(part.copy, part.start, size_bytes);
    return part;
}

static void restore(void)
{
    for (int i = 0; i < 3; i++)
        memcpy(parts[i].start, parts[i].copy, parts[i].size_bytes);
}

static void map_again(char *start, char *end)
{
    size_t size_bytes = round_up((size_t)(end - start), 4096);
    void *mapping =
        mmap(start, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    ck_assert_ptr_eq(mapping, start);
}

/* Header and unit table share a page. */
static void become_a_tool(void)
{
    parts[0] = save(gca_image->start, sizeof *gca_image);
    parts[1] =
        save(gca_image->units_start, atomic_load(&gca_image->units_used) * sizeof(struct unit));
    parts[2] = save(gca_image->metadata_start, atomic_load(&gca_image->metadata_used_bytes));
    ck_assert_int_eq(munmap((void *)gca_image->start, gca_image->size_bytes), 0);
    map_again(parts[0].start, parts[1].start + parts[1].size_bytes);
    map_again(parts[2].start, parts[2].start + parts[2].size_bytes);
    restore();
}

static gca_heap_stats make_copy(void)
{
    struct random random = {3};
    struct helper *helper = helper_start();
    start_heap();
    replace_blocks(0, &random);
    helper_do(helper, replace_blocks, &random);
    helper_end(helper);
    gca_heap_stats stats = collect();
    become_a_tool();
    return stats;
}

static void collect_all(void)
{
    gca_heap_stats stats;
    gca_class_stats rows[CLASS_COUNT];
    ck_assert_int_eq(statistics_collect(gca_image, &stats), 0);
    ck_assert_uint_eq(statistics_collect_classes(gca_image, rows, CLASS_COUNT), CLASS_COUNT);
}

START_TEST(a_copy_says_the_same)
{
    gca_heap_stats original = make_copy(), stats;
    ck_assert_int_eq(statistics_collect(gca_image, &stats), 0);
    ck_assert_mem_eq(&stats, &original, sizeof stats);
}
END_TEST

/* Any bytes of the tables, few or many. The header says where the copies lie, so only its own values are spared. */
START_TEST(random_bytes_lead_nowhere)
{
    struct random random = {(uint64_t)_i};
    make_copy();
    for (int round = 0; round < 400; round++) {
        uint64_t count = (uint64_t)1 << random_below(&random, 14);
        for (uint64_t i = 0; i < count; i++) {
            struct part *part = &parts[1 + random_below(&random, 2)];
            part->start[random_below(&random, part->size_bytes)] = (char)random_next(&random);
        }
        collect_all();
        restore();
    }
}
END_TEST

/* Values that arithmetic stumbles over, and pointers into and just beside the copies. */
static uint64_t nasty_value(struct random *random)
{
    const struct part *part = &parts[random_below(random, 3)];
    switch (random_below(random, 5)) {
    case 0:
        return (uint64_t)0 - random_below(random, 70);
    case 1:
        return (uint64_t)1 << random_below(random, 64);
    case 2:
        return (uintptr_t)part->start + random_below(random, part->size_bytes);
    case 3:
        return (uintptr_t)part->start + part->size_bytes - random_below(random, 200);
    default:
        return random_below(random, 300);
    }
}

START_TEST(nasty_words_lead_nowhere)
{
    struct random random = {(uint64_t)_i};
    make_copy();
    for (int round = 0; round < 4000; round++) {
        uint64_t count = 1 + random_below(&random, 30);
        for (uint64_t i = 0; i < count; i++) {
            struct part *part = &parts[1 + random_below(&random, 2)];
            uint64_t value = nasty_value(&random);
            memcpy(part->start + random_below(&random, part->size_bytes / 8) * 8, &value,
                   sizeof value);
        }
        collect_all();
        restore();
    }
}
END_TEST

/* Every word of a span's record and of its descriptor, in spans spread over the heap. */
START_TEST(a_torn_span_leads_nowhere)
{
    struct random random = {5};
    make_copy();
    size_t unit_count = parts[1].size_bytes / sizeof(struct unit);
    for (size_t unit = 0; unit < unit_count; unit += 1 + unit / 20) {
        struct span *span = ((struct unit *)parts[1].start)[unit].span;
        if (span == NULL)
            continue;
        for (size_t offset = 0; offset + 8 <= sizeof *span; offset += 8)
            for (int i = 0; i < 12; i++) {
                uint64_t value = i == 0 ? UINT64_MAX : nasty_value(&random);
                memcpy((char *)span + offset, &value, sizeof value);
                collect_all();
                restore();
            }
        for (size_t offset = 0; offset + 8 <= sizeof(struct unit); offset += 8)
            for (int i = 0; i < 12; i++) {
                uint64_t value = nasty_value(&random);
                memcpy(parts[1].start + unit * sizeof(struct unit) + offset, &value, sizeof value);
                collect_all();
                restore();
            }
    }
}
END_TEST

/* Heaps that link to themselves, to each other, into spans. */
START_TEST(a_torn_list_of_threads_ends)
{
    struct random random = {6};
    make_copy();
    for (int i = 0; i < 300; i++) {
        uint64_t value = i == 0 ? (uintptr_t)gca_image->heaps : nasty_value(&random);
        memcpy(&((struct thread_heap *)gca_image->heaps)->next, &value, sizeof value);
        if (i % 2 == 1) {
            value = nasty_value(&random);
            memcpy(&gca_image->heaps, &value, sizeof value);
        }
        collect_all();
        restore();
    }
}
END_TEST

/* The copy was taken while the heap grew: the header, read first or last, says less or other than what is there. */
START_TEST(a_header_that_says_less_is_believed)
{
    make_copy();
    for (unsigned tenth = 0; tenth <= 10; tenth++) {
        atomic_store(&gca_image->units_used,
                     parts[1].size_bytes / sizeof(struct unit) * tenth / 10);
        for (unsigned other = 0; other <= 10; other++) {
            atomic_store(&gca_image->metadata_used_bytes, parts[2].size_bytes * other / 10);
            collect_all();
        }
    }
}
END_TEST

static TCase *statistics(void)
{
    TCase *tests = tcase_create("statistics");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, the_counts_are_the_models);
    tcase_add_test(tests, threads_are_counted);
    tcase_add_test(tests, what_was_purged_and_moved_is_counted);
    tcase_add_test(tests, fewer_rows_than_classes_may_be_asked_for);
    tcase_add_test(tests, what_is_no_image_of_ours_is_refused);
    return tests;
}

static TCase *copies(void)
{
    TCase *tests = tcase_create("copies");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, a_copy_says_the_same);
    tcase_add_loop_test(tests, random_bytes_lead_nowhere, 0, 4);
    tcase_add_loop_test(tests, nasty_words_lead_nowhere, 0, 4);
    tcase_add_test(tests, a_torn_span_leads_nowhere);
    tcase_add_test(tests, a_torn_list_of_threads_ends);
    tcase_add_test(tests, a_header_that_says_less_is_believed);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {statistics, copies};
    return suite_run("heap/statistics", makers, 2);
}
