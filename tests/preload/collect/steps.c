/*
 * Collections that the program drives itself: of young blocks, and step by step, with whatever happens between two steps.
 *
 *     steps young|steps|others|growth|fork|vfork|realloc|library
 *
 * A graph is held by a table; each block says what it is and what it leads to, so that one freed too early shows. Lost blocks
 * are known by addresses in disguise.
 */
#include "gcalloc/gc.h"
#include "gcalloc/heap.h"
#include "gcalloc/movable.h"
#include "gcalloc/pool.h"
#include "support/require.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NODES = 200000, EDGES = 3, LOST = 2000, STRAY_MAX = 40, NODE_BYTES_MAX = 160 };

struct node {
    struct node *edges[EDGES];
    uintptr_t self; /* in disguise */
    uint32_t words;
    uint32_t pattern;
};

static struct node **table;
static uintptr_t lost[LOST];
static uint64_t random_state = 1;

static uint64_t random_next(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

static uint32_t pattern_of(const struct node *node)
{
    return (uint32_t)(~(uintptr_t)node >> 4);
}

static struct node *make(void)
{
    size_t size = sizeof(struct node) + random_next() % (NODE_BYTES_MAX - sizeof(struct node));
    struct node *node = malloc(size);

    memset(node, 0, size);
    node->self = ~(uintptr_t)node;
    node->pattern = pattern_of(node);
    return node;
}

static void store(struct node **place, struct node *value)
{
    *place = value;
    gca_write_barrier(place, value);
}

static void check_node(const struct node *node)
{
    require(node->self == ~(uintptr_t)node && node->pattern == pattern_of(node));
}

static void check_graph(void)
{
    for (size_t i = 0; i < NODES; i++) {
        check_node(table[i]);
        for (int edge = 0; edge < EDGES; edge++)
            if (table[i]->edges[edge] != NULL)
                check_node(table[i]->edges[edge]);
    }
}

static void make_graph(void)
{
    table = malloc(NODES * sizeof *table);
    for (size_t i = 0; i < NODES; i++)
        store(&table[i], make());
    for (size_t i = 0; i < NODES; i++)
        for (int edge = 0; edge < EDGES; edge++)
            store(&table[i]->edges[edge], table[random_next() % NODES]);
}

/* Blocks change places: what only one block led to is led to by another afterwards, and that one may have been looked at. */
__attribute__((noinline)) static void rewire(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct node *from = table[random_next() % NODES], *to = table[random_next() % NODES];
        struct node *hidden = make();
        store(&hidden->edges[0], make());
        store(&from->edges[0], hidden);
        store(&to->edges[1], hidden->edges[0]);
        store(&from->edges[0], NULL);
        struct node *moved = from->edges[2];
        store(&from->edges[2], NULL);
        store(&to->edges[2], moved);
    }
}

__attribute__((noinline)) static void lose(void)
{
    for (size_t i = 0; i < LOST; i++)
        lost[i] = ~(uintptr_t)make();
}

__attribute__((noinline)) static size_t count_lost(void)
{
    size_t count = 0;

    for (size_t i = 0; i < LOST; i++)
        count += gca_is_block((void *)~lost[i]);
    return count;
}

__attribute__((noinline)) static void clean_stack(void)
{
    volatile char space[20000];

    for (size_t i = 0; i < sizeof space; i++)
        space[i] = 0;
}

static gca_gc_stats stats(void)
{
    gca_gc_stats now;

    require(gca_gc_get_stats(&now) == 0);
    return now;
}

static void collect_young(void)
{
    clean_stack();
    require(gca_collect_young() == 0);
}

/* Young blocks are held by old ones that were written; lost ones go, and old ones stay, lost or not. */
static void young(void)
{
    collect_young(); /* the first is of all blocks */
    collect_young();
    gca_gc_stats before = stats();
    for (int round = 0; round < 10; round++) {
        rewire(200);
        lose();
        collect_young();
        require(count_lost() <= STRAY_MAX);
        check_graph();
    }
    gca_gc_stats after = stats();
    require(after.young.collections >= before.young.collections + 10);
    require(gca_heap_verify() == 0);
}

static int step_until_done(bool rewires)
{
    int steps = 0, result;

    do {
        result = gca_step(500);
        require(result == 0 || result == 1);
        if (rewires)
            rewire(20);
        steps++;
    } while (result == 0);
    return steps;
}

static void steps(bool is_possible)
{
    int most = 0;

    for (int round = 0; round < 10; round++) {
        gca_gc_stats before = stats();
        lose();
        clean_stack();
        int count = step_until_done(true);
        most = count > most ? count : most;
        gca_gc_stats after = stats();
        require(after.full.collections > before.full.collections);
        require(count_lost() <= STRAY_MAX);
        check_graph();
    }
    require(!is_possible || most > 3);
    require(gca_heap_verify() == 0);
}

static _Atomic bool is_over;

static void *collect_all(void *argument)
{
    (void)argument;
    while (!is_over) {
        require(gca_collect() == 0);
        usleep(3000);
    }
    return NULL;
}

/* Whoever collects at once between two steps has the last word, and steps come to their end nevertheless. */
static void others(void)
{
    pthread_t thread;

    require(pthread_create(&thread, NULL, collect_all, NULL) == 0);
    for (int round = 0; round < 20; round++) {
        step_until_done(true);
        require(gca_collect_young() == 0);
    }
    is_over = true;
    require(pthread_join(thread, NULL) == 0);
    check_graph();
    require(gca_heap_verify() == 0);
}

/* A collection that nobody goes on with does not let the heap grow for ever. */
static void growth(void)
{
    enum { MANY = 4000000 };
    gca_gc_stats before = stats();

    require(gca_step(1) == 0);
    for (size_t i = 0; i < MANY; i++)
        make();
    require(stats().collections > before.collections);
    check_graph();
}

static void fork_between(void)
{
    for (int round = 0; round < 10; round++) {
        int result = gca_step(300);
        pid_t child = fork();

        require(result >= 0 && child >= 0);
        if (child == 0) {
            rewire(50);
            step_until_done(true);
            require(gca_collect_young() == 0);
            check_graph();
            _exit(gca_heap_verify() == 0 ? 0 : 1);
        }
        int status;
        require(waitpid(child, &status, 0) == child && status == 0);
        rewire(50);
    }
    step_until_done(false);
    check_graph();
}

/* Who shares this memory and is another process must not collect, and is told so at once. */
static void vfork_between(void)
{
    int status;
    pid_t child = vfork();

    require(child >= 0);
    if (child == 0)
        _exit(gca_step(500) == -EPERM && gca_collect_young() == -EPERM && gca_collect() == -EPERM ? 0 : 1);
    require(waitpid(child, &status, 0) == child && status == 0);
    step_until_done(false);
    check_graph();
}

/* What realloc() copies the program can't tell of. What is held here is held by nothing else, before and afterwards. */
enum { HOLDERS = 20000, HELD = 4, MOVED = 1000, HOLDER_BYTES_MAX = 480 };

static struct node ***make_holders(void)
{
    struct node ***holders = malloc(HOLDERS * sizeof *holders);

    for (size_t i = 0; i < HOLDERS; i++) {
        holders[i] = malloc(HELD * sizeof **holders);
        gca_write_barrier(&holders[i], holders[i]);
        for (int held = 0; held < HELD; held++)
            store(&holders[i][held], make());
    }
    return holders;
}

__attribute__((noinline)) static void move_some(struct node ***holders)
{
    for (size_t i = 0; i < MOVED; i++) {
        struct node ***holder = &holders[random_next() % HOLDERS];
        size_t least = HELD * sizeof **holders;
        *holder = realloc(*holder, least + random_next() % (HOLDER_BYTES_MAX - least));
        gca_write_barrier(holder, *holder);
    }
}

static void check_held(struct node ***holders)
{
    for (size_t i = 0; i < HOLDERS; i++)
        for (int held = 0; held < HELD; held++) {
            require(gca_is_block(holders[i][held]));
            check_node(holders[i][held]);
        }
}

static void reallocate(void)
{
    struct node ***holders = make_holders();

    for (int round = 0; round < 10; round++) {
        int result;
        do {
            result = gca_step(500);
            require(result == 0 || result == 1);
            move_some(holders);
        } while (result == 0);
        check_held(holders);
    }
    require(gca_heap_verify() == 0);
}

/* Nor can it tell of what the library's own functions store: here young objects in tables that are old. */
enum { ENTRIES = 20000, MOVABLES = 60000, LEFT_EACH = 4 };

__attribute__((noinline)) static void add_handles(gca_handles *handles, gca_handle *added)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        added[i] = gca_handle_add(handles, make());
        require(added[i].word != 0);
    }
}

static void check_handles(gca_handles *handles, const gca_handle *added)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        require(gca_is_block(gca_handle_get(handles, added[i])));
        check_node(gca_handle_get(handles, added[i]));
    }
}

/* What only an object holds that is moved. */
__attribute__((noinline)) static void give_nodes(gca_movables *movables, const gca_handle *objects)
{
    for (size_t i = 0; i < MOVABLES; i += LEFT_EACH)
        store(gca_movable_get(movables, objects[i]), make());
}

static void check_nodes(gca_movables *movables, const gca_handle *objects)
{
    for (size_t i = 0; i < MOVABLES; i += LEFT_EACH) {
        struct node **held = gca_movable_get(movables, objects[i]);
        require(gca_is_block(*held));
        check_node(*held);
    }
}

static gca_handles *handles;
static gca_movables *movables;
static gca_handle added[ENTRIES], objects[MOVABLES];

static void library(void)
{
    require((handles = gca_handles_new(0)) != NULL && (movables = gca_movables_new(0)) != NULL);
    for (size_t i = 0; i < MOVABLES; i++) {
        require((objects[i] = gca_movable_new(movables, 48)).word != 0);
        memset(gca_movable_get(movables, objects[i]), 0, 48);
    }
    for (size_t i = 0; i < MOVABLES; i++)
        require(i % LEFT_EACH == 0 || gca_movable_free(movables, objects[i]));
    collect_young();
    collect_young();
    add_handles(handles, added);
    give_nodes(movables, objects);
    require(gca_movables_compact(movables) != 0);
    collect_young();
    check_handles(handles, added);
    check_nodes(movables, objects);
    require(gca_heap_verify() == 0);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool is_possible = argc <= 2; /* that collections run beside the program */

    make_graph();
    if (strcmp(what, "young") == 0)
        young();
    else if (strcmp(what, "steps") == 0)
        steps(is_possible);
    else if (strcmp(what, "others") == 0)
        others();
    else if (strcmp(what, "growth") == 0)
        growth();
    else if (strcmp(what, "fork") == 0)
        fork_between();
    else if (strcmp(what, "vfork") == 0)
        vfork_between();
    else if (strcmp(what, "realloc") == 0)
        reallocate();
    else if (strcmp(what, "library") == 0)
        library();
    else
        return 99;
    return 0;
}
