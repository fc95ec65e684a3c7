/*
 * leak/classify: random graphs of blocks against a model that is simple and slow; what words hold; very long lists.
 */
#include "leak/classify.h"

#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 400, EDGES_MAX = 3, ROUNDS = 40, WORDS = 8, LIST_LENGTH = 200000 };

static const struct classify_source source = {NULL};

/* A block of the model: whole and inner edges, and what is known of it. */
struct node {
    void **block;
    int edges[EDGES_MAX];
    bool is_inner[EDGES_MAX];
    int edge_count;
    enum leak_class class;
};

static struct node nodes[BLOCKS];
static bool leads[BLOCKS][BLOCKS]; /* by any way, itself left out */

struct seen {
    size_t counts[LEAK_CLASSES];
    enum leak_class classes[BLOCKS];
    uint32_t heads[BLOCKS];
};

static int number_of(uintptr_t start)
{
    for (int i = 0; i < BLOCKS; i++)
        if ((uintptr_t)nodes[i].block == start)
            return i;
    return -1;
}

static void note(const struct classified *block, void *context)
{
    struct seen *seen = context;
    int number = number_of(block->start);
    seen->counts[block->class]++;
    if (number < 0)
        return;
    seen->classes[number] = block->class;
    seen->heads[number] = block->head;
}

/* Offset 40 is none that stands for a block's start. */
enum { INNER_BYTES = 40 };

static void make_graph(struct random *random)
{
    for (int i = 0; i < BLOCKS; i++) {
        nodes[i] = (struct node){.block = allocate(WORDS * sizeof(void *) + random_below(random, 300)), .class = LEAK_UNSEEN};
        memset(nodes[i].block, 0, WORDS * sizeof(void *));
    }
    for (int i = 0; i < BLOCKS; i++) {
        nodes[i].edge_count = (int)random_below(random, EDGES_MAX + 1) * (random_below(random, 3) != 0);
        for (int j = 0; j < nodes[i].edge_count; j++) {
            int to = (int)random_below(random, BLOCKS);
            nodes[i].edges[j] = to;
            nodes[i].is_inner[j] = random_below(random, 5) == 0;
            nodes[i].block[2 * j + 1] = (char *)nodes[to].block + (nodes[i].is_inner[j] ? INNER_BYTES : 0);
        }
    }
}

/* What is held from here on by edges of the kinds wanted. */
static void spread(int from, enum leak_class class, bool inner_counts)
{
    if (nodes[from].class != LEAK_UNSEEN)
        return;
    nodes[from].class = class;
    for (int i = 0; i < nodes[from].edge_count; i++)
        if (inner_counts || !nodes[from].is_inner[i])
            spread(nodes[from].edges[i], class, inner_counts);
}

static void spread_possible(void)
{
    bool is_waiting[BLOCKS] = {false};
    for (int i = 0; i < BLOCKS; i++)
        for (int j = 0; j < nodes[i].edge_count; j++)
            if (nodes[i].class == LEAK_REACHABLE || nodes[i].class == LEAK_KERNEL)
                is_waiting[nodes[i].edges[j]] |= nodes[i].is_inner[j];
    for (int i = 0; i < BLOCKS; i++)
        if (is_waiting[i])
            spread(i, LEAK_POSSIBLE, true);
}

static void find_ways(void)
{
    memset(leads, 0, sizeof leads);
    for (int i = 0; i < BLOCKS; i++)
        for (int j = 0; j < nodes[i].edge_count; j++)
            leads[i][nodes[i].edges[j]] = true;
    for (int k = 0; k < BLOCKS; k++)
        for (int i = 0; i < BLOCKS; i++)
            for (int j = 0; leads[i][k] && j < BLOCKS; j++)
                leads[i][j] |= leads[k][j];
}

/* Whatever leads to a head that is lost as well, the head leads back to; and every other lost block has a head above it. */
static void expect_heads(const struct seen *seen)
{
    for (int i = 0; i < BLOCKS; i++) {
        bool is_lost = nodes[i].class == LEAK_UNSEEN;
        ck_assert_int_eq(is_lost, seen->classes[i] == LEAK_DEFINITE || seen->classes[i] == LEAK_INDIRECT);
        int own_head = -1;
        for (int j = 0; is_lost && j < BLOCKS; j++) {
            if (nodes[j].class != LEAK_UNSEEN)
                continue;
            if (seen->classes[i] == LEAK_DEFINITE && leads[j][i])
                hot_assert(leads[i][j], "what leads to a head is in its cycle");
            if (seen->classes[j] == LEAK_DEFINITE && seen->heads[j] == seen->heads[i]) {
                hot_assert(own_head < 0, "one head");
                own_head = j;
            }
        }
        if (is_lost && seen->classes[i] == LEAK_INDIRECT)
            ck_assert(own_head >= 0 && leads[own_head][i]);
        if (is_lost && seen->classes[i] == LEAK_DEFINITE)
            ck_assert_int_eq(classify_head_is_in_cycle(seen->heads[i]), leads[i][i]);
    }
}

START_TEST(random_graphs_are_classified_as_the_model_does)
{
    struct random random = {(uint64_t)_i + 1};
    struct seen seen = {{0}, {0}, {0}};
    make_graph(&random);
    ck_assert_int_eq(classify_start(&source), 0);
    for (int i = 0; i < BLOCKS / 40; i++) {
        int root = (int)random_below(&random, BLOCKS);
        classify_roots(&nodes[root].block, &nodes[root].block + 1, 8, false);
        spread(root, LEAK_REACHABLE, false);
    }
    for (int i = 0; i < BLOCKS / 80; i++) {
        int root = (int)random_below(&random, BLOCKS);
        classify_roots(&nodes[root].block, &nodes[root].block + 1, 8, true);
        spread(root, LEAK_KERNEL, false);
    }
    spread_possible();
    ck_assert_int_eq(classify_finish(), 0);
    classify_each(note, &seen);
    for (int i = 0; i < BLOCKS; i++)
        if (nodes[i].class != LEAK_UNSEEN)
            ck_assert_int_eq(seen.classes[i], nodes[i].class);
    find_ways();
    expect_heads(&seen);
    ck_assert_uint_eq(classify_head_count(), seen.counts[LEAK_DEFINITE]);
    classify_end();
}
END_TEST

START_TEST(a_very_long_list_has_one_head)
{
    struct seen seen = {{0}, {0}, {0}};
    void **last = NULL;
    for (int i = 0; i < LIST_LENGTH; i++) {
        void **block = allocate(32);
        memset(block, 0, 32);
        block[0] = last;
        last = block;
    }
    ck_assert_int_eq(classify_start(&source), 0);
    ck_assert_int_eq(classify_finish(), 0);
    classify_each(note, &seen);
    ck_assert_uint_eq(seen.counts[LEAK_DEFINITE], 1);
    ck_assert_uint_eq(seen.counts[LEAK_INDIRECT], LIST_LENGTH - 1);
    ck_assert(!classify_head_is_in_cycle(0));
    classify_end();
}
END_TEST

static enum leak_class class_held_by(uintptr_t word, void **block, unsigned step_bytes)
{
    struct seen seen = {{0}, {0}, {0}};
    nodes[0].block = block;
    ck_assert_int_eq(classify_start(&source), 0);
    classify_roots(&word, &word + 1, step_bytes, false);
    ck_assert_int_eq(classify_finish(), 0);
    classify_each(note, &seen);
    classify_end();
    return seen.classes[0];
}

START_TEST(words_hold_by_start_tag_and_what_cxx_keeps)
{
    void **block = allocate(24 * 10 + 8);
    memset(block, 0, 24 * 10 + 8);
    uintptr_t start = (uintptr_t)block;
    ck_assert_int_eq(class_held_by(start, block, 8), LEAK_REACHABLE);
    ck_assert_int_eq(class_held_by(start | (uintptr_t)77 << 48, block, 8), LEAK_REACHABLE);
    ck_assert_int_eq(class_held_by(start + 1, block, 8), LEAK_POSSIBLE);
    ck_assert_int_eq(class_held_by(start + 8, block, 8), LEAK_POSSIBLE);
    ck_assert_int_eq(class_held_by(start - 1, block, 8), LEAK_DEFINITE);
    ck_assert_int_eq(class_held_by(0, block, 8), LEAK_DEFINITE);
    *(uint64_t *)start = 10; /* new[] of ten with destructors */
    ck_assert_int_eq(class_held_by(start + 8, block, 8), LEAK_REACHABLE);
    ck_assert_int_eq(class_held_by(start + 16, block, 8), LEAK_POSSIBLE);
    *(uint64_t *)start = 1000;
    ck_assert_int_eq(class_held_by(start + 8, block, 8), LEAK_POSSIBLE);
}
END_TEST

static TCase *classes(void)
{
    TCase *tests = tcase_create("classes");
    tcase_add_checked_fixture(tests, start_heap, NULL);
    tcase_add_loop_test(tests, random_graphs_are_classified_as_the_model_does, 0, ROUNDS);
    tcase_add_test(tests, a_very_long_list_has_one_head);
    tcase_add_test(tests, words_hold_by_start_tag_and_what_cxx_keeps);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {classes};
    return suite_run("leak/classify", makers, 1);
}
