/* own/shared, own/merge, own/cycles, own/borrow: references, weak ones, cycles, borrows; under threads against a model. */
#include "gcalloc/own.h"
#include "own/self.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/sanitizers.h"
#include "unit/threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

struct node {
    struct node *left, *right;
    int value;
};

static _Atomic unsigned dropped_count;

static void drop_node(void *object)
{
    (void)object;
    dropped_count++;
}

GCA_TYPE(struct node, .drop = drop_node, GCA_POINTERS(struct node, left, right));

static void drop_leaf(void *object)
{
    (void)object;
    dropped_count++;
}

struct leaf {
    int value;
};

GCA_TYPE(struct leaf, .drop = drop_leaf);

static struct node *make(int value)
{
    struct node *node = gca_rc_new(struct node);
    ck_assert_ptr_nonnull(node);
    node->value = value;
    return node;
}

/* ---- references ---- */

START_TEST(the_last_reference_ends)
{
    struct leaf *leaf = gca_rc_new(struct leaf);
    ck_assert_uint_eq(gca_count(leaf), 1);
    for (uint32_t i = 2; i < 100; i++) {
        ck_assert_ptr_eq(gca_retain(leaf), leaf);
        ck_assert_uint_eq(gca_count(leaf), i);
    }
    for (int i = 99; i > 1; i--)
        gca_release(leaf);
    ck_assert_uint_eq(dropped_count, 0);
    gca_release(leaf);
    ck_assert_uint_eq(dropped_count, 1);
    ck_assert_uint_eq(gca_count(leaf), 0);
    gca_release(NULL);
    ck_assert_ptr_null(gca_retain((struct leaf *)NULL));
    expect_sound_heap();
}
END_TEST

START_TEST(large_objects_are_counted)
{
    void *large = allocate(200000);
    ck_assert_int_eq(gca_share(large), 0);
    gca_weak weak = gca_downgrade(large);
    gca_retain(large);
    gca_release(large);
    ck_assert_ptr_eq(gca_get(weak), large);
    ck_assert_ptr_eq(gca_upgrade(weak), large);
    gca_release(large);
    gca_release(large);
    ck_assert_ptr_null(gca_get(weak));
    ck_assert_ptr_null(gca_upgrade(weak));
    expect_sound_heap();
}
END_TEST

START_TEST(pointers_are_released)
{
    struct node *root = make(1);
    struct node *shared = make(2);
    root->left = gca_retain(shared);
    root->right = make(3);
    gca_release(root);
    ck_assert_uint_eq(dropped_count, 2);
    ck_assert_uint_eq(gca_count(shared), 1);
    gca_release(shared);
    ck_assert_uint_eq(dropped_count, 3);
    struct node *head = NULL;
    for (int i = 0; i < 1000000; i++) {
        struct node *node = make(i);
        node->left = head;
        head = node;
    }
    gca_release(head);
    ck_assert_uint_eq(dropped_count, 1000003);
    expect_sound_heap();
}
END_TEST

START_TEST(one_owner_and_back)
{
    struct node *node = make(1);
    gca_retain(node);
    ck_assert_ptr_null(gca_unwrap(node));
    gca_release(node);
    gca_weak weak = gca_downgrade(node);
    ck_assert_ptr_eq(gca_unwrap(node), node);
    ck_assert_ptr_null(gca_upgrade(weak));
    ck_assert_ptr_eq(gca_get(weak), node);
    ck_assert_uint_eq(gca_count(node), 0);
    ck_assert_int_eq(gca_share(node), 0);
    ck_assert_ptr_eq(gca_upgrade(weak), node);
    ck_assert_uint_eq(gca_count(node), 2);
    gca_release(node);
    gca_release(node);
    ck_assert_uint_eq(dropped_count, 1);
    expect_sound_heap();
}
END_TEST

START_TEST(who_is_alone_may_change)
{
    struct node *node = make(1);
    ck_assert_ptr_eq(gca_unique(node), node);
    struct node *other = gca_retain(node);
    struct node *changed = gca_unique(other);
    ck_assert_ptr_ne(changed, node);
    ck_assert_ptr_eq(changed, other);
    ck_assert_int_eq(changed->value, 1);
    ck_assert_uint_eq(gca_count(node), 1);
    ck_assert_uint_eq(gca_count(other), 1);
    gca_release(node);
    gca_release(other);
    ck_assert_uint_eq(dropped_count, 2);
}
END_TEST

/* ---- weak references ---- */

START_TEST(a_weak_reference_never_means_another)
{
    static gca_weak stale[20000];
    void *block = allocate(48);
    gca_weak weak = gca_downgrade(block);
    ck_assert_ptr_eq(gca_get(weak), block);
    ck_assert_ptr_null(gca_upgrade(weak)); /* it is not counted */
    heap_free(block);
    ck_assert_ptr_null(gca_get(weak));
    for (int i = 0; i < 20000; i++) {
        struct leaf *leaf = gca_rc_new(struct leaf);
        stale[i] = gca_downgrade(leaf);
        hot_assert(gca_get(stale[i]) == leaf, "good");
        gca_release(leaf);
    }
    struct leaf *last = gca_rc_new(struct leaf);
    for (int i = 0; i < 20000; i++)
        hot_assert(gca_get(stale[i]) == NULL && gca_upgrade(stale[i]) == NULL, "stale");
    gca_release(last);
    ck_assert_ptr_null(gca_get((gca_weak){0}));
    ck_assert_ptr_null(gca_upgrade((gca_weak){0}));
    errno = 0;
    ck_assert_uint_eq(gca_downgrade(&weak).word, 0);
    ck_assert_int_eq(errno, EINVAL);
    expect_sound_heap();
}
END_TEST

/* Until its generations are used up: then the slot is not used again. */
START_TEST(a_slot_wears_out)
{
    unsigned seen = 0;
    struct leaf *first = gca_rc_new(struct leaf);
    gca_downgrade(first);
    gca_release(first);
    for (int i = 0; i < 1200000; i++) {
        struct leaf *leaf = gca_rc_new(struct leaf);
        hot_assert(leaf != NULL && gca_downgrade(leaf).word != 0, "numbered");
        seen += leaf == first;
        gca_release(leaf);
    }
    ck_assert_uint_lt(seen, 1 << 20);
    expect_sound_heap();
}
END_TEST

/* ---- threads ---- */

static void release_it(int index, void *context)
{
    (void)index;
    gca_release(context);
}

START_TEST(another_thread_may_have_the_last)
{
    struct leaf *leaf = gca_rc_new(struct leaf);
    gca_retain(leaf);
    threads_run_one(release_it, leaf); /* a reference that we took: it waits for us */
    ck_assert_uint_eq(gca_count(leaf), 1);
    gca_release(leaf);
    gca_merge();
    ck_assert_uint_eq(dropped_count, 1);
    leaf = gca_rc_new(struct leaf);
    gca_share_freely(leaf);
    gca_retain(leaf);
    gca_release(leaf);
    threads_run_one(release_it, leaf);
    ck_assert_uint_eq(dropped_count, 2);
    leaf = gca_rc_new(struct leaf);
    threads_run_one(release_it, leaf);
    ck_assert_uint_eq(dropped_count, 2);
    ck_assert_uint_eq(gca_merge(), 1);
    ck_assert_uint_eq(dropped_count, 3);
    expect_sound_heap();
}
END_TEST

static void make_it(int index, void *context)
{
    (void)index;
    struct leaf **place = context;
    *place = gca_rc_new(struct leaf);
    gca_retain(*place);
}

START_TEST(the_maker_may_be_gone)
{
    struct leaf *leaf = NULL;
    threads_run_one(make_it, &leaf);
    ck_assert_uint_eq(gca_count(leaf), 2);
    gca_release(leaf);
    ck_assert_uint_eq(dropped_count, 0);
    gca_retain(leaf);
    gca_release(leaf);
    gca_release(leaf);
    ck_assert_uint_eq(dropped_count, 1);
    expect_sound_heap();
}
END_TEST

/*
 * Objects in places that threads exchange references through, and weak references to all of them. Whoever has a reference may
 * look into the object; each object ends exactly once.
 */
enum { PLACES = 16, STEPS = 30000, THREADS = 4, MAGIC = 0x5ca1ab1e };

struct shared_object {
    _Atomic int magic;
};

static _Atomic unsigned made_objects, ended_objects;

static void drop_object(void *object)
{
    int magic = ((struct shared_object *)object)->magic;
    ((struct shared_object *)object)->magic = 0;
    if (magic == MAGIC)
        ended_objects++;
}

GCA_TYPE(struct shared_object, .drop = drop_object);

struct exchange {
    struct shared_object *_Atomic places[PLACES];
    _Atomic uint64_t weak[PLACES];
    _Atomic unsigned wrong;
};

static void take_part(int index, void *context)
{
    struct exchange *exchange = context;
    struct random random = {(uint64_t)index};
    for (int step = 0; step < STEPS; step++) {
        size_t place = random_below(&random, PLACES);
        struct shared_object *mine = NULL;
        switch (random_below(&random, 4)) {
        case 0:
            mine = gca_rc_new(struct shared_object);
            mine->magic = MAGIC;
            made_objects++;
            exchange->weak[place] = gca_downgrade(mine).word;
            break;
        case 1:
            mine = gca_upgrade((gca_weak){exchange->weak[place]});
            break;
        default:
            mine = atomic_exchange(&exchange->places[place], NULL);
            break;
        }
        if (mine == NULL)
            continue;
        exchange->wrong += mine->magic != MAGIC;
        if (random_below(&random, 3) == 0) {
            gca_retain(mine);
            exchange->wrong += mine->magic != MAGIC;
            gca_release(mine);
        }
        mine = atomic_exchange(&exchange->places[random_below(&random, PLACES)], mine);
        gca_release(mine);
        if (step % 1000 == 0)
            sched_yield();
    }
    gca_merge();
}

START_TEST(threads_exchange_references)
{
    static struct exchange exchange;
    for (int round = 0; round < 3; round++)
        threads_run(THREADS, take_part, &exchange);
    for (int i = 0; i < PLACES; i++)
        gca_release(exchange.places[i]);
    gca_merge();
    ck_assert_uint_eq(exchange.wrong, 0);
    ck_assert_uint_eq(made_objects, ended_objects);
    for (int i = 0; i < PLACES; i++)
        ck_assert_ptr_null(gca_upgrade((gca_weak){exchange.weak[i]}));
    expect_sound_heap();
}
END_TEST

/* ---- cycles ---- */

/* Rings, cliques, trees with back edges: made where no address of theirs stays on our stack. */
static __attribute__((noinline)) void make_ring(int length)
{
    struct node *first = make(0), *last = first;
    for (int i = 1; i < length; i++) {
        last->left = make(i);
        last = last->left;
    }
    last->left = gca_retain(first);
    gca_release(first);
}

/* What functions that have returned left on the stack; a sanitizer would put borders of its own around the array, which keep theirs. */
__attribute__((noinline, no_sanitize_address)) static void clear_stack(void)
{
    volatile char cleared[8192];
    for (size_t i = 0; i < sizeof cleared; i++)
        cleared[i] = 0;
}

START_TEST(rings_are_found)
{
    make_ring(_i);
    clear_stack();
    ck_assert_uint_eq(dropped_count, 0);
    ck_assert_uint_eq(gca_cycles(0), (unsigned)_i);
    ck_assert_uint_eq(dropped_count, (unsigned)_i);
    expect_sound_heap();
}
END_TEST

enum { GRAPH = 300 };

/* A random graph, some of it held from outside: what is not reachable from there goes, all else stays. */
static struct node *graph[GRAPH];
static bool is_root[GRAPH];
static int to_left[GRAPH], to_right[GRAPH];

static __attribute__((noinline)) unsigned make_graph(uint64_t seed)
{
    struct random random = {seed};
    static bool lives[GRAPH];
    unsigned living = 0;
    memset(lives, 0, sizeof lives);
    for (int i = 0; i < GRAPH; i++)
        graph[i] = make(i);
    for (int i = 0; i < GRAPH; i++) {
        to_left[i] = random_below(&random, 10) < 8 ? (int)random_below(&random, GRAPH) : -1;
        to_right[i] = random_below(&random, 10) < 3 ? (int)random_below(&random, GRAPH) : -1;
        is_root[i] = random_below(&random, 100) < 3;
        graph[i]->left = to_left[i] >= 0 ? gca_retain(graph[to_left[i]]) : NULL;
        graph[i]->right = to_right[i] >= 0 ? gca_retain(graph[to_right[i]]) : NULL;
        lives[i] = is_root[i];
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < GRAPH; i++)
            for (int side = 0; side < 2; side++) {
                int to = side == 0 ? to_left[i] : to_right[i];
                if (lives[i] && to >= 0 && !lives[to])
                    more = lives[to] = true;
            }
    }
    for (int i = 0; i < GRAPH; i++) {
        living += lives[i];
        graph[i] = is_root[i] ? graph[i] : (gca_release(graph[i]), NULL);
    }
    return living;
}

static __attribute__((noinline)) void release_roots(void)
{
    for (int i = 0; i < GRAPH; i++)
        if (is_root[i]) {
            hot_assert(graph[i]->value == i && gca_count(graph[i]) >= 1, "lives");
            gca_release(graph[i]);
        }
}

START_TEST(graphs_lose_what_nothing_holds)
{
    unsigned living = make_graph((uint64_t)_i);
    clear_stack();
    if (_i % 2 == 0)
        gca_cycles(0);
    else
        while (gca_cycles(1) != 0)
            continue;
    for (int i = 0; i < 100 && _i % 2 != 0; i++)
        gca_cycles(1);
    ck_assert_uint_eq(dropped_count, GRAPH - living);
    release_roots();
    clear_stack();
    gca_cycles(0);
    ck_assert_uint_eq(dropped_count, GRAPH);
    expect_sound_heap();
}
END_TEST

static __attribute__((noinline)) void hold_by_the_stack(void)
{
    struct node *one = make(1);
    one->left = make(2);
    one->left->left = gca_retain(one);
    struct node *volatile inner = one->left;
    gca_release(one);
    one = NULL;
    hot_assert(gca_cycles(0) == 0, "held");
    hot_assert(inner->left->value == 1, "alive");
    gca_retain(inner);
    gca_release(inner); /* suspected again */
    inner = NULL;
}

START_TEST(an_address_on_the_stack_holds)
{
    hold_by_the_stack();
    gca_cycle_stats stats;
    gca_cycles_get_stats(&stats);
    ck_assert_uint_ge(stats.held, 1);
    clear_stack();
    ck_assert_uint_eq(gca_cycles(0), 2);
}
END_TEST

START_TEST(threads_and_weak_references_keep_out)
{
    make_ring(3);
    clear_stack();
    gca_cycle_stats stats;
    gca_cycles_get_stats(&stats);
    ck_assert_uint_eq(stats.waiting, 1);
    gca_cycles_threshold(100);
    for (int i = 0; i < 1000; i++)
        make_ring(5);
    gca_cycles_get_stats(&stats);
    ck_assert_uint_ge(stats.runs, 9);
    ck_assert_uint_ge(stats.freed, 4000);
    clear_stack();
    gca_cycles(0);
    ck_assert_uint_ge(dropped_count, 5003 - 10); /* a dead word of the stack may hold one ring or two */
}
END_TEST

static void make_rings(int index, void *context)
{
    (void)index;
    (void)context;
    for (int i = 0; i < 100; i++)
        make_ring(4);
}

START_TEST(a_thread_that_ends_looks_once_more)
{
    threads_run(3, make_rings, NULL);
    ck_assert_uint_ge(dropped_count, 3 * 400 - 24);
    expect_sound_heap();
}
END_TEST

/* ---- borrows ---- */

START_TEST(borrows_are_counted)
{
    gca_checks = 1;
    struct node *node = make(1);
    const struct node *one = gca_borrow(node);
    const struct node *two = gca_borrow(node);
    ck_assert_ptr_eq(one, node);
    ck_assert_uint_eq(gca_borrows(node), 2);
    ck_assert(!gca_try_borrow_mut(node));
    gca_end(one);
    gca_end(two);
    ck_assert(gca_try_borrow_mut(node));
    ck_assert(!gca_try_borrow(node));
    ck_assert_uint_eq(gca_borrows(node), 1);
    gca_end_mut(node);
    for (int i = 0; i < 3; i++) {
        gca_with(reader, node);
        ck_assert_int_eq(reader->value, 1);
        if (i == 1)
            break;
        gca_with(again, reader);
        ck_assert_uint_eq(gca_borrows(node), 2);
        ck_assert_ptr_eq(again, node);
    }
    {
        gca_with_mut(writer, node);
        writer->value = 2;
        ck_assert_uint_eq(gca_borrows(node), 1);
    }
    ck_assert_uint_eq(gca_borrows(node), 0);
    ck_assert_uint_eq(gca_report_borrows(), 0);
    gca_release(node);
    ck_assert_uint_eq(dropped_count, 1);
}
END_TEST

static void borrow_often(int index, void *context)
{
    struct node *node = context;
    (void)index;
    for (int i = 0; i < 20000; i++) {
        const struct node *reader = gca_borrow(node);
        hot_assert(reader == node, "borrowed");
        gca_end(reader);
    }
}

static void end_it(int index, void *context)
{
    (void)index;
    gca_end((struct node *)context);
}

START_TEST(threads_borrow)
{
    gca_checks = 1;
    struct node *node = make(1);
    threads_run(4, borrow_often, node);
    ck_assert_uint_eq(gca_borrows(node), 0);
    gca_borrow(node);
    threads_run_one(end_it, node);
    ck_assert_uint_eq(gca_borrows(node), 0);
    ck_assert_uint_eq(gca_report_borrows(), 0);
    gca_release(node);
}
END_TEST

static __attribute__((noinline)) gca_weak borrow_from_a_cycle(void)
{
    struct node *one = make(1);
    one->left = gca_retain(one);
    gca_weak weak = gca_downgrade(one);
    gca_borrow(one);
    gca_release(one);
    return weak;
}

static __attribute__((noinline)) void end_and_suspect(gca_weak weak)
{
    struct node *node = gca_get(weak);
    gca_end(node);
    gca_retain(node);
    gca_release(node);
}

START_TEST(a_borrow_keeps_a_cycle)
{
    gca_checks = 1;
    gca_weak weak = borrow_from_a_cycle();
    clear_stack();
    ck_assert_uint_eq(gca_cycles(0), 0);
    end_and_suspect(weak);
    clear_stack();
    ck_assert_uint_eq(gca_cycles(0), 1);
    ck_assert_ptr_null(gca_get(weak));
}
END_TEST

struct large {
    struct large *other;
    char bytes[100000];
};

GCA_TYPE(struct large, GCA_POINTERS(struct large, other));

static __attribute__((noinline)) void make_large_cycle(void)
{
    struct large *one = gca_rc_new(struct large);
    one->other = gca_rc_new(struct large);
    one->other->other = gca_retain(one);
    gca_release(one);
}

START_TEST(large_objects_form_cycles)
{
    make_large_cycle();
    clear_stack();
    ck_assert_uint_eq(gca_cycles(0), 2);
    expect_sound_heap();
}
END_TEST

static struct node *volatile raw; /* no reference is counted for it */

static __attribute__((noinline)) gca_weak point_into_a_cycle(struct node *volatile *place)
{
    struct node *one = make(1);
    one->left = make(2);
    one->left->left = gca_retain(one);
    gca_weak weak = gca_downgrade(one);
    *place = one->left;
    gca_release(one);
    return weak;
}

static __attribute__((noinline)) void suspect_again(gca_weak weak)
{
    struct node *node = gca_get(weak);
    gca_retain(node);
    gca_release(node);
}

static __attribute__((noinline)) int value_of(gca_weak weak)
{
    struct node *node = gca_get(weak);
    return node->value;
}

/* In static data, and in a block; one time each. The test's own frame never has the address. */
START_TEST(a_raw_pointer_keeps_a_cycle)
{
    struct node *volatile *place = _i == 0 ? &raw : heap_allocate(sizeof *place);
    gca_checks = 1;
    gca_weak weak = point_into_a_cycle(place);
    clear_stack();
    ck_assert_uint_eq(gca_cycles(0), 0);
    ck_assert_int_eq(value_of(weak), 1);
    *place = NULL;
    suspect_again(weak);
    clear_stack();
    ck_assert_uint_eq(gca_cycles(0), 2);
    ck_assert_ptr_null(gca_get(weak));
}
END_TEST

static void receive_it(int index, void *context)
{
    (void)index;
    if (gca_receive(context) == 0) {
        gca_assert_mine(context);
        ((struct leaf *)context)->value++;
        gca_send(context);
    }
}

START_TEST(objects_are_handed_over)
{
    gca_checks = 1;
    struct leaf *leaf = gca_new(struct leaf);
    ck_assert_int_eq(gca_bind(leaf), 0);
    gca_assert_mine(leaf);
    ck_assert_int_eq(gca_send(leaf), 0);
    threads_run_one(receive_it, leaf);
    ck_assert_int_eq(leaf->value, 1);
    ck_assert_int_eq(gca_receive(leaf), 0);
    gca_drop(leaf);
    ck_assert_uint_eq(dropped_count, 1);
}
END_TEST

static TCase *references(void)
{
    TCase *tests = tcase_create("references");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_last_reference_ends);
    tcase_add_test(tests, large_objects_are_counted);
    tcase_add_test(tests, pointers_are_released);
    tcase_add_test(tests, one_owner_and_back);
    tcase_add_test(tests, who_is_alone_may_change);
    tcase_add_test(tests, a_weak_reference_never_means_another);
    tcase_add_test(tests, a_slot_wears_out);
    tcase_add_test(tests, another_thread_may_have_the_last);
    tcase_add_test(tests, the_maker_may_be_gone);
    tcase_add_test(tests, threads_exchange_references);
    return tests;
}

static TCase *cycles(void)
{
    TCase *tests = tcase_create("cycles");
    tcase_add_loop_test(tests, rings_are_found, 1, 8);
    tcase_add_loop_test(tests, graphs_lose_what_nothing_holds, 0, 40);
    tcase_add_test(tests, an_address_on_the_stack_holds);
    tcase_add_test(tests, threads_and_weak_references_keep_out);
    tcase_add_test(tests, a_thread_that_ends_looks_once_more);
    return tests;
}

static TCase *borrows(void)
{
    TCase *tests = tcase_create("borrows");
    tcase_add_test(tests, borrows_are_counted);
    tcase_add_test(tests, threads_borrow);
    tcase_add_test(tests, large_objects_form_cycles);
    if (ALL_MEMORY_IS_THE_PROGRAMS) {
        tcase_add_test(tests, a_borrow_keeps_a_cycle);
        tcase_add_loop_test(tests, a_raw_pointer_keeps_a_cycle, 0, 2);
    }
    tcase_add_test(tests, objects_are_handed_over);
    return tests;
}

int main(void)
{
    static test_case_maker *const cases[] = {references, cycles, borrows};
    return suite_run("shared", cases, sizeof cases / sizeof *cases);
}
