/*
 * gc/crew: what several threads mark together is what one would: graphs of every shape against a model, interrupted at any
 * moment, with threads that end in between, in the child of a fork, and where none can be made.
 */
#include "gc/crew.h"
#include "gc/settings.h"
#include "gc/white.h"
#include "heap/span.h"
#include "os/sanitizer.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 150000, EDGES = 3, ITEMS = 8192, NONE = -1 };

static struct marker marker;
static struct work items[ITEMS];
static struct random chance = {1};

static struct {
    char *blocks[BLOCKS];
    int edges[BLOCKS][EDGES];
    bool reached[BLOCKS];
} graph;

/* ---- shapes: which block leads where ---- */

static void link_randomly(int from)
{
    for (int i = 0; i < EDGES; i++)
        graph.edges[from][i] = random_below(&chance, 3) == 0 ? NONE : (int)random_below(&chance, BLOCKS);
}

static void link_as_list(int from)
{
    graph.edges[from][0] = from + 1 < BLOCKS ? from + 1 : NONE;
}

static void link_as_tree(int from)
{
    for (int i = 0; i < 2; i++)
        graph.edges[from][i] = 2 * from + i + 1 < BLOCKS ? 2 * from + i + 1 : NONE;
}

/* Block 0 is large and leads to every third. */
static void link_from_one(int from)
{
    graph.edges[from][0] = from % 3 == 1 ? from + 1 : NONE;
}

static const struct shape {
    void (*link)(int from);
    bool is_wide;
} shapes[] = {{link_randomly, false}, {link_as_list, false}, {link_as_tree, false}, {link_from_one, true}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static void make_block(const struct shape *shape, int i)
{
    size_t bytes = shape->is_wide && i == 0 ? BLOCKS * sizeof(void *) : 24 + random_below(&chance, 60);
    graph.blocks[i] = memset(allocate(bytes), 0, bytes);
    for (int k = 0; k < EDGES; k++)
        graph.edges[i][k] = NONE;
    shape->link(i);
}

static void make_graph(const struct shape *shape)
{
    class_rule.bias = 0; /* as with the option gc */
    start_heap();
    for (int i = 0; i < BLOCKS; i++)
        make_block(shape, i);
    for (int i = 0; i < BLOCKS; i++)
        for (int k = 0; k < EDGES; k++)
            if (graph.edges[i][k] != NONE)
                memcpy(graph.blocks[i] + 8 * k, &graph.blocks[graph.edges[i][k]], 8);
    for (int i = 0; shape->is_wide && i < BLOCKS; i += 3)
        memcpy(graph.blocks[0] + 8 * i, &graph.blocks[i], 8);
}

static void reach(const struct shape *shape, int root)
{
    static int stack[BLOCKS];
    int count = 0;
    memset(graph.reached, 0, sizeof graph.reached);
    graph.reached[stack[count++] = root] = true;
    for (int i = 3; shape->is_wide && root == 0 && i < BLOCKS; i += 3)
        graph.reached[stack[count++] = i] = true;
    while (count != 0) {
        int from = stack[--count];
        for (int k = 0; k < EDGES; k++)
            if (graph.edges[from][k] != NONE && !graph.reached[graph.edges[from][k]])
                graph.reached[stack[count++] = graph.edges[from][k]] = true;
    }
}

/* ---- marking ---- */

static unsigned long interrupt_every; /* times that are asked; 0: never */

static bool is_interrupted(void)
{
    static unsigned long asked;
    return interrupt_every != 0 && ++asked % interrupt_every == 0;
}

static void begin(int root)
{
    struct white_rule rule;
    white_rule_full(&rule, 1);
    ck_assert_int_eq(white_start(&rule), 0);
    mark_start(&marker, items, ITEMS);
    mark_word(&marker, (uintptr_t)graph.blocks[root] + 1);
}

static void expect_model(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        struct unit *unit = unit_at(graph.blocks[i]);
        uint8_t white = *white_of(unit->kind == UNIT_LARGE ? (void *)unit->span : unit_slot_state(unit, graph.blocks[i]));
        hot_assert(white == (graph.reached[i] ? BLACK : WHITE), "marked is what the model reaches");
    }
}

static void mark_and_compare(const struct shape *shape, unsigned size, int root)
{
    begin(root);
    reach(shape, root);
    while (!crew_drain(&marker, size, is_interrupted))
        ;
    expect_model();
}

START_TEST(a_crew_marks_what_one_would)
{
    static const unsigned sizes[] = {1, 2, 4, 16};
    const struct shape *shape = &shapes[_i % SHAPES];
    make_graph(shape);
    for (int round = 0; round < 24; round++) {
        interrupt_every = round % 3 == 0 ? 0 : 1 + random_below(&chance, 40);
        mark_and_compare(shape, sizes[round % 4], round % 5 == 0 ? (int)random_below(&chance, BLOCKS) : 0);
        if (round % 7 == 6)
            crew_quit();
    }
    crew_quit();
    expect_sound_heap();
}
END_TEST

static int threads_now(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

START_TEST(threads_come_when_they_are_needed_and_go_when_told)
{
    make_graph(&shapes[0]);
    mark_and_compare(&shapes[0], 1, 0);
    ck_assert_int_eq(threads_now(), 1);
    for (int round = 0; round < 3; round++) {
        mark_and_compare(&shapes[0], 4, 0);
        ck_assert_int_eq(threads_now(), 4);
        crew_quit();
        ck_assert_int_eq(threads_now(), 1);
    }
}
END_TEST

START_TEST(a_child_has_a_crew_of_its_own)
{
    make_graph(&shapes[0]);
    mark_and_compare(&shapes[0], 4, 0);
    begin(0);
    interrupt_every = 3;
    crew_drain(&marker, 4, is_interrupted);
    pid_t child = fork();
    if (child == 0) {
        crew_forget();
        interrupt_every = 0;
        mark_and_compare(&shapes[0], 4, 1);
        crew_quit();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    interrupt_every = 0;
    mark_and_compare(&shapes[0], 4, 0);
    crew_quit();
}
END_TEST

/* Denied, or without memory for threads: the leader does it all. */
START_TEST(one_is_enough)
{
    make_graph(&shapes[2]);
    if (_i == 0) {
        crew_deny();
    } else {
        struct rlimit limit = {0, 0};
        struct white_rule rule;
        white_rule_full(&rule, 1);
        ck_assert_int_eq(white_start(&rule), 0);
        ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    }
    mark_and_compare(&shapes[2], 4, 0);
    for (int id = 1; id < 1000; id++)
        hot_assert(!crew_has(getpid() + id), "nobody else marks");
}
END_TEST

static TCase *crews(void)
{
    TCase *tests = tcase_create("crews");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_crew_marks_what_one_would, 0, SHAPES);
    tcase_add_test(tests, threads_come_when_they_are_needed_and_go_when_told);
    tcase_add_test(tests, a_child_has_a_crew_of_its_own);
    tcase_add_loop_test(tests, one_is_enough, 0, os_is_watched() ? 1 : 2); /* AddressSanitizer has no use for a program without memory */
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {crews};
    return suite_run("gc/crew", makers, 1);
}
