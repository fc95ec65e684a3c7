/*
 * gc/ledger, gc/weak and gc/finalize: what free(), realloc() and collections do to references and finalizers; in which order
 * finalizers become ready; random graphs.
 */
#include "gc/weak.h"
#include "base/format.h"
#include "gc/finalize.h"
#include "gc/ledger.h"
#include "gc/mark.h"
#include "gc/sweep.h"
#include "gc/white.h"
#include "heap/birth.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <string.h>

enum { ITEMS = 4096, EDGES = 3, BLOCKS = 400 };

/* What the blocks of these tests are. Addresses are of their inside: the start may be another block's end. */
struct node {
    uintptr_t inside[EDGES];
    int number;
};

static struct marker marker;
static struct work items[ITEMS];
static struct node *roots[BLOCKS]; /* looked at by collect() alone */

static uintptr_t inside(const void *block)
{
    return block == NULL ? 0 : (uintptr_t)block + 4;
}

static struct node *node_new(int number)
{
    struct node *node = allocate(sizeof *node + (size_t)number % 3 * 100);
    memset(node, 0, unit_at(node)->slot_bytes);
    node->number = number;
    return node;
}

static bool is_allocated(const void *address)
{
    struct block block;
    return lookup_block(address, &block) && block_is_allocated(&block);
}

static void mark_roots(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)context;
    mark_range(&marker, start, end, step_bytes);
}

static void collect(void)
{
    struct white_rule rule;
    struct sweep_result result;
    heap_birth_set(gca_image->birth % (BIRTH_COUNT - 1) + 1);
    white_rule_full(&rule, gca_image->birth);
    ck_assert_int_eq(white_start(&rule), 0);
    mark_start(&marker, items, ITEMS);
    for (size_t i = 0; i < BLOCKS; i++)
        if (roots[i] != NULL)
            mark_word(&marker, inside(roots[i]));
    finalize_scan(mark_roots, NULL);
    mark_drain(&marker);
    finalize_after_mark(&marker);
    sweep_all(&result);
    expect_sound_heap();
}

static void expect_empty_heap(void)
{
    thread_heap_flush(thread_heap_get());
    ck_assert_uint_eq(units_taken(), 0);
}

static struct gca_weak_ref *weak_to(void *address)
{
    struct gca_weak_ref *reference = NULL;
    ck_assert_int_eq(weak_new(address, &reference), 0);
    ck_assert_ptr_eq(weak_get(reference), address);
    return reference;
}

/* ---- weak references ---- */

static const size_t sizes[] = {1, 16, 40, 1000, 16000, 20000, 300000, 5000000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(a_reference_is_cleared_when_its_block_is_freed)
{
    char *block = allocate(sizes[_i]);
    struct gca_weak_ref *first = weak_to(block), *second = weak_to(block + sizes[_i] / 2);
    void *other = allocate(sizes[_i]);
    heap_free(other);
    ck_assert_ptr_eq(weak_get(first), block);
    ck_assert_ptr_eq(allocate(sizes[_i]), other); /* of a large size a single one is kept at hand: it must not be this one */
    heap_free(block);
    ck_assert_ptr_null(weak_get(first));
    ck_assert_ptr_null(weak_get(second));
    ck_assert_ptr_eq(allocate(sizes[_i]), block); /* the slot is as good as any */
    ck_assert_ptr_null(weak_get(first));
    heap_free(first);
    heap_free(second);
    expect_sound_heap();
}
END_TEST

START_TEST(a_realloc_that_moves_counts_as_a_free)
{
    char *block = allocate(sizes[_i]);
    struct gca_weak_ref *reference = weak_to(block);
    void *same = NULL, *moved = NULL, *wall = allocate(sizes[_i]);
    ck_assert_int_eq(heap_resize(block, sizes[_i], NULL, &same), 0);
    ck_assert_ptr_eq(same, block);
    ck_assert_ptr_eq(weak_get(reference), block);
    ck_assert_int_eq(heap_resize(block, sizes[_i] * 4 + 64, NULL, &moved), 0);
    ck_assert_ptr_eq(weak_get(reference), moved == block ? block : NULL);
    ck_assert_ptr_nonnull(wall);
}
END_TEST

START_TEST(freed_references_are_forgotten)
{
    enum { COUNT = 5000 };
    static struct gca_weak_ref *references[COUNT];
    struct random random = {7};
    char *blocks[50];
    for (int i = 0; i < 50; i++)
        blocks[i] = allocate(48);
    for (int i = 0; i < COUNT; i++)
        references[i] = weak_to(blocks[random_below(&random, 50)]);
    for (int i = 0; i < COUNT; i += 2) {
        heap_free(references[i]);
        references[i] = allocate(16); /* whose place it takes; must stay as it is */
        memset(references[i], 0x5a, 16);
    }
    for (int i = 0; i < 50; i++)
        heap_free(blocks[i]);
    for (int i = 0; i < COUNT; i += 2)
        hot_assert(*(char *)references[i] == 0x5a, "no reference any more");
    for (int i = 1; i < COUNT; i += 2)
        hot_assert(weak_get(references[i]) == NULL, "cleared");
    expect_sound_heap();
}
END_TEST

START_TEST(what_is_no_block_has_no_reference)
{
    start_heap();
    struct gca_weak_ref *reference = NULL;
    char *freed = allocate(48);
    void *chunk = heap_allocate_large(100000);
    heap_free(freed);
    large_set_use(chunk, USE_ARENA);
    ck_assert_int_eq(weak_new(NULL, &reference), -EINVAL);
    ck_assert_int_eq(weak_new(&reference, &reference), -EINVAL);
    ck_assert_int_eq(weak_new(freed, &reference), -EINVAL);
    ck_assert_int_eq(weak_new(chunk, &reference), -EINVAL);
    ck_assert_ptr_null(reference);
}
END_TEST

START_TEST(a_collection_clears_what_it_frees_and_nothing_else)
{
    struct gca_weak_ref *references[100];
    struct node *nodes[100];
    struct node *holder = roots[0] = heap_allocate(sizeof(void *) * 100 + sizes[_i]);
    memset(holder, 0, sizeof(void *) * 100 + sizes[_i]);
    for (int i = 0; i < 100; i++) {
        nodes[i] = node_new(i);
        references[i] = weak_to(nodes[i]);
        ((uintptr_t *)holder)[i] = i % 2 == 0 ? inside(references[i]) : 0;
        if (i % 4 < 2)
            roots[i + 1] = nodes[i];
    }
    collect();
    for (int i = 0; i < 100; i++) {
        ck_assert(is_allocated(nodes[i]) == (i % 4 < 2));
        ck_assert(is_allocated(references[i]) == (i % 2 == 0));
        if (i % 2 == 0)
            ck_assert_ptr_eq(weak_get(references[i]), i % 4 < 2 ? nodes[i] : NULL);
    }
    memset(roots, 0, sizeof roots);
    collect();
    expect_empty_heap();
}
END_TEST

/* ---- finalizers ---- */

static int order[BLOCKS], order_count;

static void on_final(void *block, void *data)
{
    struct node *node = block;
    ck_assert(is_allocated(block));
    ck_assert_ptr_eq(data, &order);
    order[order_count++] = node->number;
}

static void set_final(struct node *node, bool is_ordered)
{
    ck_assert_int_eq(finalize_set(node, on_final, &order, is_ordered), 0);
}

/* "3 1 2": the numbers of the nodes finalized by this collection. */
static void expect_finalized(const char *wanted)
{
    char seen[100] = "";
    struct text text = text_in(seen, sizeof seen);
    order_count = 0;
    collect();
    ck_assert_uint_eq(finalize_run(0), 0);
    size_t ready = finalize_ready_count();
    ck_assert_uint_eq(finalize_wait(0), ready);
    ck_assert_uint_eq(finalize_run(SIZE_MAX), ready);
    ck_assert_uint_eq(finalize_ready_count(), 0);
    for (int i = 0; i < order_count; i++)
        text_add(&text, i == 0 ? "%d" : " %d", order[i]);
    ck_assert_str_eq(seen, wanted);
}

START_TEST(owners_go_before_what_they_own)
{
    struct node *nodes[5];
    for (int i = 0; i < 5; i++)
        nodes[i] = node_new(i);
    for (int i = 4; i >= 0; i--)
        set_final(nodes[i], true);
    nodes[0]->inside[0] = inside(nodes[1]);
    nodes[1]->inside[1] = inside(nodes[2]);
    nodes[2]->inside[2] = inside(nodes[2]); /* leads to itself: that does not count */
    roots[0] = nodes[0];
    expect_finalized("4 3");
    roots[0] = NULL;
    expect_finalized("0");
    ck_assert(is_allocated(nodes[1]) && is_allocated(nodes[0]));
    expect_finalized("1");
    ck_assert(!is_allocated(nodes[0]));
    expect_finalized("2");
    expect_finalized("");
    expect_empty_heap();
}
END_TEST

START_TEST(those_that_do_not_care_go_together)
{
    struct node *nodes[5];
    for (int i = 0; i < 5; i++)
        nodes[i] = node_new(i);
    for (int i = 4; i >= 0; i--)
        set_final(nodes[i], i == 1);
    for (int i = 0; i < 4; i++)
        nodes[i]->inside[0] = inside(nodes[i + 1]);
    expect_finalized("4 3 2 0");
    expect_finalized("1");
    expect_finalized("");
    expect_empty_heap();
}
END_TEST

START_TEST(cycles_are_broken_where_they_were_set_first)
{
    struct node *nodes[4];
    for (int i = 0; i < 4; i++)
        nodes[i] = node_new(i);
    for (int i = 0; i < 4; i++) {
        nodes[i]->inside[0] = inside(nodes[(i + 1) % 4]);
        set_final(nodes[(i + 2) % 4], true);
    }
    expect_finalized("2");
    expect_finalized("3");
    expect_finalized("0");
    expect_finalized("1");
    expect_finalized("");
    expect_empty_heap();
}
END_TEST

START_TEST(references_are_cleared_before_finalizers_run)
{
    struct node *node = node_new(1), *owned = node_new(2);
    struct gca_weak_ref *to_node = weak_to(node), *to_owned = weak_to(owned);
    node->inside[0] = inside(owned);
    node->inside[1] = inside(to_owned);
    owned->inside[0] = inside(to_node);
    roots[0] = (struct node *)to_node; /* by itself it keeps nothing */
    set_final(node, true);
    collect();
    ck_assert_ptr_null(weak_get(to_node));
    ck_assert_ptr_null(weak_get(to_owned));
    ck_assert(is_allocated(owned) && is_allocated(to_owned));
    ck_assert_uint_eq(finalize_ready_count(), 1);
    collect(); /* what waits is held */
    ck_assert(is_allocated(node) && is_allocated(owned));
    expect_finalized("1");
    expect_finalized("");
    ck_assert(!is_allocated(node) && !is_allocated(owned) && !is_allocated(to_owned));
}
END_TEST

static void revive(void *block, void *data)
{
    roots[*(int *)data] = block;
}

START_TEST(a_block_made_reachable_again_lives)
{
    struct node *node = node_new(1), *owned = node_new(2);
    int *data = allocate(sizeof *data); /* held by nothing but the finalizer */
    node->inside[0] = inside(owned);
    *data = 5;
    ck_assert_int_eq(finalize_set(node, revive, data, true), 0);
    collect();
    ck_assert_uint_eq(finalize_run(SIZE_MAX), 1);
    ck_assert_ptr_eq(roots[5], node);
    collect();
    ck_assert(is_allocated(node) && is_allocated(owned) && !is_allocated(data));
    set_final(node, true); /* once more */
    expect_finalized("");
    roots[5] = NULL;
    expect_finalized("1");
}
END_TEST

START_TEST(setting_again_replaces_and_null_takes_back)
{
    struct node *node = node_new(1), *other = node_new(2);
    int stack;
    ck_assert_int_eq(finalize_set(node, NULL, NULL, true), -ENOENT);
    ck_assert_int_eq(finalize_set(node, revive, NULL, true), 0);
    set_final(node, true);
    set_final(other, true);
    ck_assert_int_eq(finalize_set(other, NULL, NULL, true), 0);
    ck_assert_int_eq(finalize_set(&stack, on_final, NULL, true), -EINVAL);
    ck_assert_int_eq(finalize_set((char *)node + 16, on_final, NULL, true), -EINVAL);
    expect_finalized("1");
    expect_finalized("");
    expect_empty_heap();
}
END_TEST

START_TEST(what_is_freed_is_not_finalized)
{
    struct node *nodes[BLOCKS];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < BLOCKS; i++)
            set_final(nodes[i] = node_new(i), i % 2 == 0);
        for (int i = 0; i < BLOCKS; i += 3)
            heap_free(nodes[i]);
        collect();
        ck_assert_uint_eq(finalize_ready_count(), BLOCKS - (BLOCKS + 2) / 3);
        for (int i = 1; i < BLOCKS; i += 3)
            heap_free(nodes[i]);
        ck_assert_uint_eq(finalize_ready_count(), BLOCKS / 3);
        for (int i = 1; i < BLOCKS; i += 3)
            set_final(nodes[i] = node_new(i), true); /* at the same addresses */
        order_count = 0;
        ck_assert_uint_eq(finalize_run(SIZE_MAX), BLOCKS / 3);
        for (int i = 0; i < order_count; i++)
            ck_assert_int_eq(order[i], 3 * i + 2);
        for (int i = 1; i < BLOCKS; i += 3)
            heap_free(nodes[i]);
    }
    collect();
    ck_assert_uint_eq(finalize_ready_count(), 0);
    expect_empty_heap();
}
END_TEST

static const size_t kept_unit_counts[] = {2, 8, 9, 19, KEPT_UNITS_MAX};
enum { KEPT_SIZES = sizeof kept_unit_counts / sizeof kept_unit_counts[0] };

/* What a thread keeps at hand, descriptors and all: the next block there has nothing of the one before. */
START_TEST(a_kept_block_leaves_nothing_to_the_next)
{
    size_t size_bytes = kept_unit_counts[_i] * UNIT_BYTES;
    struct node *node = allocate(size_bytes);
    struct gca_weak_ref *former = weak_to(node);
    roots[1] = (struct node *)former;
    set_final(node, true);
    for (int round = 0; round < 3; round++) {
        heap_free(node);
        ck_assert_uint_eq(thread_heap_peek()->kept_units, kept_unit_counts[_i]);
        ck_assert(!is_allocated(node));
        ck_assert_ptr_null(weak_get(former));
        expect_finalized(""); /* a collection passes over it */
        ck_assert_ptr_eq(allocate(size_bytes), node);
        ck_assert(!large_is_noted(unit_at(node)));
        ck_assert_int_eq(finalize_set(node, NULL, NULL, true), -ENOENT);
        ck_assert_ptr_null(weak_get(former));
    }
    struct gca_weak_ref *latter = weak_to(node);
    memset(node, 0, size_bytes);
    node->number = 7;
    set_final(node, false);
    roots[0] = node;
    roots[2] = (struct node *)latter;
    expect_finalized("");
    ck_assert_ptr_null(weak_get(former));
    ck_assert_ptr_eq(weak_get(latter), node);
    roots[0] = NULL;
    expect_finalized("7");
    ck_assert_ptr_null(weak_get(latter));
    expect_finalized("");
    ck_assert(!is_allocated(node));
}
END_TEST

/* ---- random graphs ---- */

struct graph {
    struct node *nodes[BLOCKS];
    int edges[BLOCKS][EDGES]; /* -1: none */
    int kind[BLOCKS];         /* 0: no finalizer, 1: ordered, 2: together */
    bool done[BLOCKS];
    bool live[BLOCKS];
};

static struct graph graph;

static void reach(bool *reached, int from, bool self)
{
    static int stack[BLOCKS * EDGES];
    int count = 0;
    stack[count++] = from;
    reached[from] |= self;
    while (count != 0) {
        int node = stack[--count];
        for (int i = 0; i < EDGES; i++) {
            int to = graph.edges[node][i];
            if (to >= 0 && !reached[to]) {
                reached[to] = true;
                stack[count++] = to;
            }
        }
    }
}

static void make_graph(struct random *random, int kinds, bool has_cycles)
{
    memset(&graph, 0, sizeof graph);
    memset(roots, 0, sizeof roots);
    for (int i = 0; i < BLOCKS; i++)
        graph.nodes[i] = node_new(i);
    for (int i = 0; i < BLOCKS; i++) {
        for (int j = 0; j < EDGES; j++) {
            int below = has_cycles ? BLOCKS : i;
            graph.edges[i][j] = below != 0 && random_below(random, 3) == 0 ? (int)random_below(random, (uint64_t)below) : -1;
            graph.nodes[i]->inside[j] = graph.edges[i][j] < 0 ? 0 : inside(graph.nodes[graph.edges[i][j]]);
        }
        graph.kind[i] = (int)random_below(random, (uint64_t)kinds + 1);
        if (graph.kind[i] != 0)
            set_final(graph.nodes[i], graph.kind[i] == 1);
        if (random_below(random, 20) == 0)
            roots[i] = graph.nodes[i];
    }
    for (int i = 0; i < BLOCKS; i++)
        if (roots[i] != NULL)
            reach(graph.live, i, true);
}

/* Who is ready where there are no cycles: by the definition, one after the other. */
static bool is_ready_by_model(int node)
{
    if (graph.live[node] || graph.done[node] || graph.kind[node] == 0)
        return false;
    for (int other = 0; other < BLOCKS && graph.kind[node] == 1; other++) {
        bool reached[BLOCKS] = {false};
        if (other == node || graph.live[other] || graph.done[other] || graph.kind[other] == 0)
            continue;
        reach(reached, other, false);
        if (reached[node])
            return false;
    }
    return true;
}

START_TEST(random_graphs_become_ready_as_the_model_says)
{
    struct random random = {(uint64_t)_i};
    make_graph(&random, 2, false);
    for (bool again = true; again;) {
        bool expected[BLOCKS];
        for (int i = 0; i < BLOCKS; i++)
            expected[i] = is_ready_by_model(i);
        order_count = 0;
        collect();
        finalize_run(SIZE_MAX);
        for (int i = 0; i < order_count; i++) {
            hot_assert(expected[order[i]] && !graph.done[order[i]], "ready by the model, and once");
            graph.done[order[i]] = true;
        }
        for (int i = 0; i < BLOCKS; i++)
            hot_assert(!expected[i] || graph.done[i], "all that are ready by the model");
        again = order_count != 0;
    }
    for (int i = 0; i < BLOCKS; i++)
        hot_assert(is_allocated((char *)graph.nodes[i] + 4) == graph.live[i], "nothing is left that does not live");
}
END_TEST

START_TEST(with_cycles_everything_lost_is_finalized_once)
{
    struct random random = {(uint64_t)_i + 100};
    make_graph(&random, 2, true);
    order_count = 0;
    for (int before = -1; before != order_count;) {
        before = order_count;
        collect();
        finalize_run(SIZE_MAX);
    }
    for (int i = 0; i < order_count; i++) {
        hot_assert(!graph.done[order[i]], "once");
        graph.done[order[i]] = true;
    }
    for (int i = 0; i < BLOCKS; i++) {
        hot_assert(graph.done[i] == (graph.kind[i] != 0 && !graph.live[i]), "who is lost, and nobody else");
        hot_assert(is_allocated((char *)graph.nodes[i] + 4) == graph.live[i], "nothing is left that does not live");
    }
}
END_TEST

/* ---- cases ---- */

static TCase *references(void)
{
    TCase *tests = tcase_create("references");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_reference_is_cleared_when_its_block_is_freed, 0, SIZES);
    tcase_add_loop_test(tests, a_realloc_that_moves_counts_as_a_free, 1, SIZES);
    tcase_add_test(tests, freed_references_are_forgotten);
    tcase_add_test(tests, what_is_no_block_has_no_reference);
    tcase_add_loop_test(tests, a_collection_clears_what_it_frees_and_nothing_else, 0, SIZES);
    return tests;
}

static TCase *finalizers(void)
{
    TCase *tests = tcase_create("finalizers");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, owners_go_before_what_they_own);
    tcase_add_test(tests, those_that_do_not_care_go_together);
    tcase_add_test(tests, cycles_are_broken_where_they_were_set_first);
    tcase_add_test(tests, references_are_cleared_before_finalizers_run);
    tcase_add_test(tests, a_block_made_reachable_again_lives);
    tcase_add_test(tests, setting_again_replaces_and_null_takes_back);
    tcase_add_test(tests, what_is_freed_is_not_finalized);
    tcase_add_loop_test(tests, a_kept_block_leaves_nothing_to_the_next, 0, KEPT_SIZES);
    tcase_add_loop_test(tests, random_graphs_become_ready_as_the_model_says, 0, 8);
    tcase_add_loop_test(tests, with_cycles_everything_lost_is_finalized_once, 0, 20);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {references, finalizers};
    return suite_run("gc/weak", makers, 2);
}
