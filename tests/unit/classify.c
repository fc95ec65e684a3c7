/*
 * leak/classify: random graphs of blocks against a model that is simple and slow; what words hold; very long lists.
 */
#include "leak/classify.h"

#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 400, EDGES_MAX = 3, ROUNDS = 40, WORDS = 8, LIST_LENGTH = 200000, MANY = 60000, MANY_ROUNDS = 6 };

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
    classify_each_but(0, note, &seen);
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
    classify_each_but(0, note, &seen);
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
    classify_each_but(0, note, &seen);
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

/* ---- many blocks ---- */

/*
 * So many that they are read page by page. The model is as simple, but for the components of what is lost: a block's number there is
 * that of the last one to be finished of those that reach it and that it reaches (Kosaraju's way, with stacks of its own).
 */
struct many {
    void **blocks[MANY];
    uint32_t edges[MANY][EDGES_MAX]; /* MANY: none */
    uint32_t class[MANY];
    uint32_t head[MANY];
    uint32_t in_edges[MANY * EDGES_MAX], in_start[MANY + 1];
    uint32_t order[MANY], stack[MANY], next[MANY], component[MANY];
    bool is_led_to[MANY]; /* of a component: another one leads into it */
    bool has_head[MANY];
};

static struct many many;

static int by_address(const void *a, const void *b)
{
    uintptr_t first = (uintptr_t) * (void **const *)a, second = (uintptr_t) * (void **const *)b;
    return first < second ? -1 : first > second;
}

/* With few edges there are many heads, with many one block leads to most others. */
static void make_many(struct random *random, uint32_t edges_of_ten)
{
    for (uint32_t i = 0; i < MANY; i++) {
        bool is_large = random_below(random, 4000) == 0;
        many.blocks[i] = allocate(is_large ? 20000 : 40 + random_below(random, 120));
        memset(many.blocks[i], 0, EDGES_MAX * sizeof(void *));
    }
    qsort(many.blocks, MANY, sizeof many.blocks[0], by_address);
    for (uint32_t i = 0; i < MANY; i++)
        for (uint32_t j = 0; j < EDGES_MAX; j++) {
            many.edges[i][j] = random_below(random, 10) < edges_of_ten ? (uint32_t)random_below(random, MANY) : MANY;
            many.blocks[i][j] = many.edges[i][j] < MANY ? many.blocks[many.edges[i][j]] : NULL;
        }
}

static void spread_many(uint32_t from)
{
    size_t depth = 0;
    if (many.class[from] != LEAK_UNSEEN)
        return;
    many.class[from] = LEAK_REACHABLE;
    many.stack[depth++] = from;
    while (depth > 0) {
        uint32_t block = many.stack[--depth];
        for (uint32_t j = 0; j < EDGES_MAX; j++) {
            uint32_t to = many.edges[block][j];
            if (to == MANY || many.class[to] != LEAK_UNSEEN)
                continue;
            many.class[to] = LEAK_REACHABLE;
            many.stack[depth++] = to;
        }
    }
}

static void turn_edges(void)
{
    memset(many.in_start, 0, sizeof many.in_start);
    for (uint32_t i = 0; i < MANY * EDGES_MAX; i++)
        if (many.edges[i / EDGES_MAX][i % EDGES_MAX] < MANY)
            many.in_start[many.edges[i / EDGES_MAX][i % EDGES_MAX] + 1]++;
    for (uint32_t i = 0; i < MANY; i++)
        many.in_start[i + 1] += many.in_start[i];
    uint32_t filled[MANY] = {0};
    for (uint32_t i = 0; i < MANY * EDGES_MAX; i++) {
        uint32_t to = many.edges[i / EDGES_MAX][i % EDGES_MAX];
        if (to < MANY)
            many.in_edges[many.in_start[to] + filled[to]++] = i / EDGES_MAX;
    }
}

/* In which order walks along the edges are done with what is lost. Returns how many there are. */
static uint32_t find_order(void)
{
    bool is_seen[MANY] = {false};
    uint32_t done = 0;
    memset(many.next, 0, sizeof many.next);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t depth = 0;
        if (many.class[i] != LEAK_UNSEEN || is_seen[i])
            continue;
        is_seen[i] = true;
        many.stack[depth++] = i;
        while (depth > 0) {
            uint32_t block = many.stack[depth - 1];
            uint32_t to = many.next[block] < EDGES_MAX ? many.edges[block][many.next[block]++] : UINT32_MAX;
            if (to == UINT32_MAX)
                many.order[done++] = many.stack[--depth];
            else if (to < MANY && many.class[to] == LEAK_UNSEEN && !is_seen[to]) {
                is_seen[to] = true;
                many.stack[depth++] = to;
            }
        }
    }
    return done;
}

static void find_components(void)
{
    turn_edges();
    uint32_t left = find_order();
    for (uint32_t i = 0; i < MANY; i++) {
        many.component[i] = MANY;
        many.is_led_to[i] = many.has_head[i] = false;
    }
    while (left > 0) {
        uint32_t root = many.order[--left];
        uint32_t depth = 0;
        if (many.component[root] != MANY)
            continue;
        many.component[root] = root;
        many.stack[depth++] = root;
        while (depth > 0) {
            uint32_t block = many.stack[--depth];
            for (uint32_t i = many.in_start[block]; i < many.in_start[block + 1]; i++) {
                uint32_t from = many.in_edges[i];
                if (many.class[from] != LEAK_UNSEEN)
                    continue;
                many.is_led_to[root] |= many.component[from] != MANY && many.component[from] != root;
                if (many.component[from] != MANY)
                    continue;
                many.component[from] = root;
                many.stack[depth++] = from;
            }
        }
    }
}

static void note_many(const struct classified *block, void *context)
{
    void **start = (void **)block->start;
    void ***place = bsearch(&start, many.blocks, MANY, sizeof many.blocks[0], by_address);
    (void)context;
    if (place == NULL)
        return;
    uint32_t number = (uint32_t)(place - many.blocks);
    bool is_lost = block->class == LEAK_DEFINITE || block->class == LEAK_INDIRECT;
    hot_assert(is_lost == (many.class[number] == LEAK_UNSEEN), "lost or not");
    hot_assert(is_lost || block->class == LEAK_REACHABLE, "reachable");
    many.class[number] = block->class;
    many.head[number] = block->head;
}

/* One head in each component that no other leads into, and in no other; and what hangs under one is held by what does, too. */
static void expect_many(void)
{
    for (uint32_t i = 0; i < MANY; i++) {
        bool is_held = false;
        if (many.class[i] == LEAK_DEFINITE) {
            uint32_t component = many.component[i];
            hot_assert(!many.is_led_to[component] && !many.has_head[component], "one head where nothing leads to");
            many.has_head[component] = true;
        }
        for (uint32_t j = many.in_start[i]; j < many.in_start[i + 1] && many.class[i] == LEAK_INDIRECT; j++) {
            uint32_t from = many.in_edges[j];
            is_held |= (many.class[from] == LEAK_INDIRECT || many.class[from] == LEAK_DEFINITE) && many.head[from] == many.head[i];
        }
        hot_assert(is_held || many.class[i] != LEAK_INDIRECT, "held under its head");
    }
    for (uint32_t i = 0; i < MANY; i++)
        if (many.class[i] == LEAK_DEFINITE || many.class[i] == LEAK_INDIRECT)
            hot_assert(many.is_led_to[many.component[i]] || many.has_head[many.component[i]], "a head");
}

START_TEST(many_blocks_are_classified_as_the_model_does)
{
    struct random random = {(uint64_t)_i + 100};
    make_many(&random, (uint32_t)_i * 2);
    for (uint32_t i = 0; i < MANY; i++)
        many.class[i] = LEAK_UNSEEN;
    ck_assert_int_eq(classify_start(&source), 0);
    for (uint32_t i = 0; i < (_i % 2 == 0 ? 1 : MANY / 2); i++) {
        uint32_t root = (uint32_t)random_below(&random, MANY);
        classify_roots(&many.blocks[root], &many.blocks[root] + 1, 8, false);
        spread_many(root);
    }
    find_components();
    ck_assert_int_eq(classify_finish(), 0);
    classify_each_but(0, note_many, NULL);
    expect_many();
    classify_end();
}
END_TEST

static TCase *classes(void)
{
    TCase *tests = tcase_create("classes");
    tcase_add_checked_fixture(tests, start_heap, NULL);
    tcase_add_loop_test(tests, random_graphs_are_classified_as_the_model_does, 0, ROUNDS);
    tcase_add_loop_test(tests, many_blocks_are_classified_as_the_model_does, 0, MANY_ROUNDS);
    tcase_add_test(tests, a_very_long_list_has_one_head);
    tcase_add_test(tests, words_hold_by_start_tag_and_what_cxx_keeps);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {classes};
    return suite_run("leak/classify", makers, 1);
}
