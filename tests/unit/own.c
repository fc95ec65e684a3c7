/* own/drop, own/edges, own/types, own/valid: objects with one owner. */
#include "gcalloc/alloc.h"
#include "gcalloc/own.h"
#include "gc/weak.h"
#include "heap/metadata.h"
#include "own/self.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct plain {
    int value;
    char rest[60];
};

struct node {
    struct node *left, *right;
    int value;
};

static int dropped[100000];
static unsigned dropped_count;

static void drop_node(void *object)
{
    struct node *node = object;
    dropped[dropped_count++ % 100000] = node->value;
}

static int clone_result;

static int clone_node(void *copy, const void *object)
{
    ((struct node *)copy)->value = ((const struct node *)object)->value + 1000;
    return ((const struct node *)object)->value == 13 ? clone_result : 0;
}

GCA_TYPE(struct node, .drop = drop_node, .clone = clone_node, GCA_POINTERS(struct node, left, right));

static struct node *make(int value)
{
    struct node *node = gca_new(struct node);
    ck_assert_ptr_nonnull(node);
    node->value = value;
    return node;
}

static gca_type_stats stats_of(const char *name)
{
    (void)name;
    gca_type_stats stats;
    struct node *node = make(0);
    const gca_type *type = gca_type_of(node);
    gca_drop(node);
    dropped_count = 0;
    ck_assert_int_eq(gca_type_get_stats(type, &stats), 0);
    return stats;
}

/* ---- types ---- */

START_TEST(a_new_object_is_zero_and_typed)
{
    for (int i = 0; i < 1000; i++) {
        struct plain *plain = gca_new(struct plain);
        for (size_t j = 0; j < sizeof *plain; j++)
            hot_assert(((char *)plain)[j] == 0, "zero");
        memset(plain, 1, sizeof *plain);
        ck_assert_str_eq(gca_type_of(plain)->name, "struct plain");
        gca_drop(plain);
    }
    struct node *node = make(3);
    ck_assert_str_eq(gca_type_of(node)->name, "struct node");
    ck_assert_uint_eq(gca_type_of(node)->pointer_count, 2);
    gca_drop(node);
    int *number = gca_new(int);
    ck_assert_uint_eq(gca_type_of(number)->size_bytes, sizeof(int));
    gca_drop(number);
    expect_sound_heap();
}
END_TEST

START_TEST(statistics_count)
{
    gca_type_stats before = stats_of("struct node");
    struct node *nodes[100];
    for (int i = 0; i < 100; i++)
        nodes[i] = make(i);
    gca_type_stats now;
    const gca_type *type = gca_type_of(nodes[0]);
    gca_type_get_stats(type, &now);
    ck_assert_uint_eq(now.made, before.made + 100);
    ck_assert_uint_eq(now.current, 100);
    ck_assert_uint_ge(now.current_bytes, 100 * sizeof(struct node));
    for (int i = 0; i < 100; i++)
        gca_drop(nodes[i]);
    gca_type_get_stats(type, &now);
    ck_assert_uint_eq(now.current, 0);
    ck_assert_uint_eq(now.current_bytes, 0);
    ck_assert_uint_eq(now.peak, 100);
}
END_TEST

static void count_type(const gca_type *type, const gca_type_stats *stats, void *context)
{
    *(uint64_t *)context += strcmp(type->name, "struct node") == 0 ? stats->current : 0;
}

static void make_and_drop(int index, void *context)
{
    (void)context;
    for (int i = 0; i < 2000; i++) {
        int *number = gca_new(int);
        *number = index;
        hot_assert(*number == index, "own");
        gca_drop(number);
    }
}

START_TEST(any_block_is_tagged)
{
    static gca_type type = {.name = "tagged", .size_bytes = 24};
    void *small = allocate(16), *block = allocate(24), *large = allocate(100000);
    ck_assert_int_eq(gca_tag(small, &type), -EINVAL);
    ck_assert_int_eq(gca_tag(&type, &type), -EINVAL);
    ck_assert_int_eq(gca_tag(block, &type), 0);
    ck_assert_int_eq(gca_tag(large, &type), 0);
    ck_assert_ptr_eq(gca_type_of(block), &type);
    gca_type_stats stats;
    gca_type_get_stats(&type, &stats);
    ck_assert_uint_eq(stats.current, 2);
    heap_free(block); /* a plain free() counts as well */
    heap_free(large);
    heap_free(small);
    gca_type_get_stats(&type, &stats);
    ck_assert_uint_eq(stats.current, 0);
    struct node *node = make(1);
    uint64_t current = 0;
    ck_assert_uint_ge(gca_types_each(count_type, &current), 2);
    ck_assert_uint_eq(current, 1);
    gca_drop(node);
    threads_run(4, make_and_drop, NULL);
    expect_sound_heap();
}
END_TEST

/* ---- dropping ---- */

START_TEST(pointers_end_with_their_object)
{
    struct node *root = make(1);
    root->left = make(2);
    root->right = make(3);
    root->left->left = make(4);
    gca_drop(root);
    ck_assert_uint_eq(dropped_count, 4);
    static const int order[] = {1, 2, 4, 3};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(dropped[i], order[i]);
    gca_drop(NULL);
    expect_sound_heap();
}
END_TEST

START_TEST(a_chain_of_a_million_takes_no_stack)
{
    struct node *head = NULL;
    for (int i = 0; i < 1000000; i++) {
        struct node *node = make(i);
        node->left = head;
        head = node;
    }
    gca_drop(head);
    ck_assert_uint_eq(dropped_count, 1000000);
    expect_sound_heap();
}
END_TEST

struct link {
    struct link *next;
};

static unsigned links_dropped;

static void drop_link(void *object)
{
    gca_drop(((struct link *)object)->next);
    links_dropped++;
}

GCA_TYPE(struct link, .drop = drop_link);

START_TEST(so_does_one_whose_functions_drop)
{
    struct link *head = NULL;
    for (int i = 0; i < 300000; i++) {
        struct link *next = gca_new(struct link);
        next->next = head;
        head = next;
    }
    gca_drop(head);
    ck_assert_uint_eq(links_dropped, 300000);
    expect_sound_heap();
}
END_TEST

/* ---- owners ---- */

START_TEST(what_is_owned_ends_newest_first)
{
    struct node *owner = make(0);
    for (int i = 1; i <= 5; i++)
        ck_assert_int_eq(gca_own(make(i), owner), 0);
    ck_assert_uint_eq(gca_owned_count(owner), 5);
    gca_drop(owner);
    static const int order[] = {0, 5, 4, 3, 2, 1};
    ck_assert_uint_eq(dropped_count, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(dropped[i], order[i]);
    expect_sound_heap();
}
END_TEST

START_TEST(a_child_may_leave)
{
    void *owner = allocate(40);
    struct node *first = make(1), *second = make(2), *third = make(3);
    gca_own(first, owner);
    gca_own(second, owner);
    gca_own(third, owner);
    ck_assert_ptr_eq(gca_owner_of(second), owner);
    ck_assert_int_eq(gca_own(second, NULL), 0);
    ck_assert_ptr_null(gca_owner_of(second));
    heap_free(first);
    ck_assert_uint_eq(gca_owned_count(owner), 1);
    gca_drop(owner);
    ck_assert_uint_eq(dropped_count, 1);
    ck_assert_int_eq(dropped[0], 3);
    gca_drop(second);
    expect_sound_heap();
}
END_TEST

/* Against a model: a forest of objects, moved about and dropped. */
START_TEST(forests_end_whole)
{
    enum { COUNT = 400 };
    static struct node *nodes[COUNT];
    static int owner_of[COUNT];
    struct random random = {(uint64_t)_i};
    for (int i = 0; i < COUNT; i++) {
        nodes[i] = make(i);
        owner_of[i] = -1;
    }
    for (int step = 0; step < 3000; step++) {
        int child = (int)random_below(&random, COUNT), owner = (int)random_below(&random, COUNT);
        if (nodes[child] == NULL || nodes[owner] == NULL)
            continue;
        bool is_cycle = false;
        for (int up = owner; up != -1; up = owner_of[up])
            is_cycle |= up == child;
        if (is_cycle)
            continue;
        ck_assert_int_eq(gca_own(nodes[child], nodes[owner]), 0);
        owner_of[child] = owner;
        if (step % 10 != 0)
            continue;
        dropped_count = 0;
        gca_drop(nodes[owner]);
        nodes[owner] = NULL;
        unsigned expected = 1;
        for (bool more = true; more;) {
            more = false;
            for (int i = 0; i < COUNT; i++)
                if (nodes[i] != NULL && owner_of[i] != -1 && nodes[owner_of[i]] == NULL) {
                    nodes[i] = NULL;
                    expected++;
                    more = true;
                }
        }
        hot_assert(dropped_count == expected, "as many as the model says");
    }
    for (int i = 0; i < COUNT; i++)
        if (nodes[i] != NULL && owner_of[i] == -1)
            gca_drop(nodes[i]);
    ck_assert_uint_eq(stats_of("struct node").current, 0);
    expect_sound_heap();
}
END_TEST

/* ---- copies ---- */

START_TEST(a_clone_has_its_own)
{
    struct node *root = make(1);
    root->left = make(2);
    root->left->right = make(3);
    struct node *copy = gca_clone(root);
    ck_assert_int_eq(copy->value, 1001);
    ck_assert_int_eq(copy->left->right->value, 1003);
    ck_assert_ptr_ne(copy->left, root->left);
    gca_drop(root);
    ck_assert_int_eq(copy->left->value, 1002);
    gca_drop(copy);
    ck_assert_uint_eq(dropped_count, 6);
    errno = 0;
    ck_assert_ptr_null(gca_clone_of(&root));
    ck_assert_int_eq(errno, EINVAL);
    expect_sound_heap();
}
END_TEST

START_TEST(a_clone_that_fails_leaves_nothing)
{
    struct node *root = make(1);
    root->left = make(_i == 0 ? 13 : 2);
    root->right = make(_i == 1 ? 13 : 3);
    root->right->left = make(_i == 2 ? 13 : 4);
    root->right->left->right = make(5);
    clone_result = -EIO;
    errno = 0;
    ck_assert_ptr_null(gca_clone(root));
    ck_assert_int_eq(errno, EIO);
    gca_drop(root);
    ck_assert_uint_eq(stats_of("struct node").current, 0);
    expect_sound_heap();
}
END_TEST

START_TEST(a_long_chain_is_cloned)
{
    struct node *head = NULL;
    for (int i = 0; i < 300000; i++) {
        struct node *node = make(i);
        node->left = head;
        head = node;
    }
    struct node *copy = gca_clone(head);
    unsigned length = 0;
    for (const struct node *at = copy; at != NULL; at = at->left)
        length++;
    ck_assert_uint_eq(length, 300000);
    gca_drop(copy);
    gca_drop(head);
    expect_sound_heap();
}
END_TEST

START_TEST(a_value_is_cloned_when_written)
{
    struct node *node = make(1);
    gca_cow cow = gca_cow_borrow(node);
    ck_assert_ptr_eq(gca_cow_get(&cow), node);
    struct node *own = gca_cow_mut(&cow);
    ck_assert_ptr_ne(own, node);
    ck_assert_ptr_eq(gca_cow_mut(&cow), own);
    gca_cow_drop(&cow);
    ck_assert_uint_eq(dropped_count, 1);
    gca_drop(node);
    expect_sound_heap();
}
END_TEST

START_TEST(lines_are_alone)
{
    for (int i = 1; i < 300; i += 7) {
        char *lines = gca_alloc_lines((size_t)i);
        hot_assert((uintptr_t)lines % 64 == 0 && gca_bytes_from(lines) >= (size_t)((i + 63) / 64 * 64), "whole lines");
        heap_free(lines);
    }
    int *number = gca_new_alone(int);
    ck_assert_uint_eq((uintptr_t)number % 64, 0);
    ck_assert_uint_ge(gca_bytes_from(number), 64);
    gca_drop(number);
}
END_TEST

/* ---- scopes ---- */

static void add_one(void *counter)
{
    ++*(int *)counter;
}

static int scopes(int *counter, int at)
{
    gca_scoped(struct node *, node, make(7));
    gca_defer(add_one, counter);
    gca_defer_as(rollback, add_one, counter);
    for (int i = 0; i < 10; i++) {
        gca_scoped(struct node *, inner, make(i));
        if (i < at)
            continue;
        gca_scoped(struct node *, kept, make(100));
        struct node *taken = gca_move(kept);
        gca_drop(taken);
        break;
    }
    gca_disarm(rollback);
    return node->value;
}

START_TEST(scopes_end_in_order)
{
    int counter = 0;
    ck_assert_int_eq(scopes(&counter, 3), 7);
    ck_assert_int_eq(counter, 1);
    ck_assert_uint_eq(dropped_count, 6);
    ck_assert_int_eq(dropped[3], 100);
    ck_assert_int_eq(dropped[4], 3);
    ck_assert_int_eq(dropped[5], 7);
}
END_TEST

START_TEST(guards_hold)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    static const char *state = "idle";
    double level = 1.5;
    {
        gca_guard_mutex(held, &mutex);
        gca_guard_read(reading, &lock);
        gca_guard_value(busy, state, "busy");
        gca_guard_value(higher, level, 2.5);
        gca_keep(higher);
        ck_assert_int_eq(pthread_mutex_trylock(&mutex), EBUSY);
        ck_assert_int_eq(pthread_rwlock_trywrlock(&lock), EBUSY);
        ck_assert_str_eq(state, "busy");
    }
    ck_assert_int_eq(pthread_mutex_trylock(&mutex), 0);
    pthread_mutex_unlock(&mutex);
    {
        gca_guard_write(writing, &lock);
        ck_assert_int_eq(pthread_rwlock_tryrdlock(&lock), EBUSY);
    }
    ck_assert_int_eq(pthread_rwlock_trywrlock(&lock), 0);
    pthread_rwlock_unlock(&lock);
    ck_assert_str_eq(state, "idle");
    ck_assert(level > 2.4);
}
END_TEST

START_TEST(values_move)
{
    struct node *one = make(1), *two = make(2);
    gca_swap(one, two);
    ck_assert_int_eq(one->value, 2);
    gca_drop(gca_replace(one, make(3)));
    ck_assert_int_eq(dropped[0], 2);
    struct node *moved = gca_move(one);
    ck_assert_ptr_null(one);
    gca_clear(moved);
    ck_assert_ptr_null(moved);
    gca_drop(two);
    ck_assert_uint_eq(dropped_count, 3);
}
END_TEST

/* ---- what is at an address ---- */

START_TEST(kinds_are_told)
{
    static int variable;
    int *block = allocate(40);
    struct node *counted = gca_rc_new(struct node);
    gca_arena *arena = gca_arena_new(NULL);
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.object_bytes = 24});
    char *object = gca_pool_get(pool);
    ck_assert_int_eq(gca_kind_of(&variable), GCA_KIND_FOREIGN);
    ck_assert_int_eq(gca_kind_of(NULL), GCA_KIND_FOREIGN);
    ck_assert_int_eq(gca_kind_of(block + 3), GCA_KIND_MALLOC);
    ck_assert_int_eq(gca_kind_of(counted), GCA_KIND_COUNTED);
    ck_assert_int_eq(gca_kind_of(gca_arena_alloc(arena, 8)), GCA_KIND_ARENA);
    ck_assert_int_eq(gca_kind_of(object + 8), GCA_KIND_POOL);
    size_t size_bytes;
    ck_assert_ptr_eq(gca_start_of(object + 8, &size_bytes), object);
    ck_assert_uint_eq(size_bytes, 24);
    ck_assert_ptr_eq(gca_start_of(block + 3, &size_bytes), block);
    ck_assert_uint_eq(size_bytes, lookup_usable_size(block));
    ck_assert_uint_eq(gca_bytes_from(block + 3), size_bytes - 12);
    ck_assert(gca_is_range(block, 40));
    ck_assert(!gca_is_range(block, size_bytes + 1));
    ck_assert(!gca_is_range(&variable, 1));
    ck_assert(gca_is_index(block, 9, 4));
    ck_assert(!gca_is_index(block, size_bytes / 4, 4));
    ck_assert(!gca_is_index(block, SIZE_MAX / 2, 4));
    ck_assert(gca_is_aligned(block, 16));
    ck_assert(!gca_is_aligned((char *)block + 8, 16));
    gca_at(block, 3) = 5;
    ck_assert_int_eq(gca_at(block, 3), 5);
    gca_pool_put(pool, object);
    ck_assert_ptr_null(gca_start_of(object, NULL));
    heap_free(block);
    ck_assert_int_eq(gca_kind_of(block), GCA_KIND_FREE);
    ck_assert_uint_eq(gca_bytes_from(block), 0);
    gca_release(counted);
    gca_pool_free(pool);
    gca_arena_free(arena);
}
END_TEST

/* ---- ends that others are to hear of ---- */

struct plain_pair {
    void *values[2];
};

GCA_TYPE(struct plain_pair);

struct last_small {
    char bytes[128];
};

struct first_other {
    char bytes[129];
};

struct large {
    char bytes[3000];
};

/* Of each size, made and dropped by what is quick and by what is not: all zero, however dirty the slot was. */
#define make_dirty(T)                                                                                                  \
    for (int i = 0; i < 300; i++) {                                                                                    \
        T *object = i % 3 == 0 ? gca_rc_new(T) : gca_new(T);                                                           \
        for (size_t j = 0; j < sizeof *object; j++)                                                                    \
            hot_assert(((char *)object)[j] == 0, #T);                                                                  \
        memset(object, 0xa5, sizeof *object);                                                                          \
        if (i % 3 == 0)                                                                                                \
            gca_release(object);                                                                                       \
        else                                                                                                           \
            gca_drop(object);                                                                                          \
        void *dirty = memset(heap_allocate(sizeof(T)), 0x5a, sizeof(T));                                               \
        heap_free(dirty);                                                                                              \
    }

START_TEST(objects_begin_as_zero)
{
    make_dirty(char);
    make_dirty(struct plain_pair);
    make_dirty(struct plain);
    make_dirty(struct last_small);
    make_dirty(struct first_other);
    make_dirty(struct large);
    expect_sound_heap();
}
END_TEST

static void expect_cleared(void *object, void (*end)(void *object))
{
    struct gca_weak_ref *reference = NULL;
    ck_assert_int_eq(weak_new(object, &reference), 0);
    ck_assert_ptr_eq(weak_get(reference), object);
    end(object);
    ck_assert_ptr_null(weak_get(reference));
    heap_free(reference);
}

/* The collector's weak references are told of an object's end as of a free(). */
START_TEST(an_end_clears_weak_references)
{
    struct plain_pair *former = gca_new(struct plain_pair); /* ends were quick until now */
    gca_drop(former);
    expect_cleared(gca_new(struct plain_pair), gca_drop);
    expect_cleared(make(1), gca_drop);
    expect_cleared(gca_rc_new(struct plain_pair), (gca_release));
    expect_cleared(gca_rc_new(struct node), (gca_release));
    expect_cleared(gca_new(struct large), gca_drop);
    expect_cleared(heap_allocate(24), gca_drop);
    struct node *owner = make(2);
    gca_own(gca_new(struct plain_pair), owner);
    expect_cleared(owner, gca_drop);
    expect_sound_heap();
}
END_TEST

struct late {
    void *child;
};

static gca_weak late_weak;
static int late_owned;

/* What an object owns from its own end on goes with it; nobody gets a reference to it any more. */
static void drop_late(void *object)
{
    late_owned = gca_own(((struct late *)object)->child, object);
    late_weak = gca_downgrade(object);
}

GCA_TYPE(struct late, .drop = drop_late);

START_TEST(an_end_may_add_to_what_ends)
{
    gca_type_stats before = stats_of("struct node"), after;
    for (int i = 0; i < 100; i++) {
        struct late *late = gca_new(struct late);
        struct node *child = make(i);
        late->child = child;
        gca_drop(late);
        ck_assert_int_eq(late_owned, 0);
        ck_assert_uint_eq(late_weak.word, 0);
    }
    ck_assert_uint_eq(dropped_count, 100);
    struct node *node = make(0);
    gca_type_get_stats(gca_type_of(node), &after);
    gca_drop(node);
    ck_assert_uint_eq(after.current, before.current + 1);
    expect_sound_heap();
}
END_TEST

struct changing {
    int value;
};

static gca_type changed = {.name = "what has changed", .size_bytes = sizeof(struct changing)};
static int changes;

static void drop_changing(void *object)
{
    changes += gca_tag(object, &changed) == 0;
}

GCA_TYPE(struct changing, .drop = drop_changing);

/* What the object is when its function returns is counted as ended. */
START_TEST(an_end_may_say_another_type)
{
    gca_type_stats stats;
    gca_type_add(&changed);
    for (int i = 0; i < 100; i++)
        gca_drop(gca_new(struct changing));
    ck_assert_int_eq(changes, 100);
    ck_assert_uint_eq(stats_of("struct changing").current, 0);
    ck_assert_int_eq(gca_type_get_stats(&changed, &stats), 0);
    ck_assert_uint_eq(stats.made, 100);
    ck_assert_uint_eq(stats.current, 0);
    ck_assert_uint_eq(stats.current_bytes, 0);
    expect_sound_heap();
}
END_TEST

static TCase *objects(void)
{
    TCase *tests = tcase_create("objects");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_new_object_is_zero_and_typed);
    tcase_add_test(tests, statistics_count);
    tcase_add_test(tests, any_block_is_tagged);
    tcase_add_test(tests, pointers_end_with_their_object);
    tcase_add_test(tests, a_chain_of_a_million_takes_no_stack);
    tcase_add_test(tests, so_does_one_whose_functions_drop);
    tcase_add_test(tests, what_is_owned_ends_newest_first);
    tcase_add_test(tests, a_child_may_leave);
    tcase_add_loop_test(tests, forests_end_whole, 0, 5);
    tcase_add_test(tests, a_clone_has_its_own);
    tcase_add_loop_test(tests, a_clone_that_fails_leaves_nothing, 0, 3);
    tcase_add_test(tests, a_long_chain_is_cloned);
    tcase_add_test(tests, a_value_is_cloned_when_written);
    tcase_add_test(tests, lines_are_alone);
    tcase_add_test(tests, objects_begin_as_zero);
    tcase_add_test(tests, an_end_clears_weak_references);
    tcase_add_test(tests, an_end_may_add_to_what_ends);
    tcase_add_test(tests, an_end_may_say_another_type);
    return tests;
}

static TCase *uses(void)
{
    TCase *tests = tcase_create("scopes, moves, addresses");
    tcase_add_test(tests, scopes_end_in_order);
    tcase_add_test(tests, guards_hold);
    tcase_add_test(tests, values_move);
    tcase_add_test(tests, kinds_are_told);
    return tests;
}

int main(void)
{
    static test_case_maker *const cases[] = {objects, uses};
    return suite_run("own", cases, sizeof cases / sizeof *cases);
}
