/*
 * bench/arena: arenas against what else a C program has for many small objects that die together.
 *
 * Linked with the core, so that malloc is libc's. Peers that are shared objects are used when they are there. Each work is
 * done in turn by all, over and over, and the median counts: a machine that others use drifts.
 */
#include "gcalloc/arena.h"
#include "gcalloc/pool.h"

#include <dlfcn.h>
#include <obstack.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NODES = 10000, BLOCKS = 1000000, ROUNDS_MAX = 400 };

struct node {
    struct node *left;
    struct node *right;
    uint64_t kind;
    uint64_t value;
};

/* A node leads to the one before it and to one from some time ago: a list, to be freed one by one, and a graph. */
static inline struct node *join(struct node *node, struct node *left, uint64_t value)
{
    node->left = left;
    node->right = value % 4 == 0 && left != NULL ? left->left : left;
    node->kind = value & 7;
    node->value = value;
    return node;
}

static void die(const char *what)
{
    fprintf(stderr, "arena: %s\n", what);
    exit(1);
}

static volatile uint64_t sink;

static void keep(const struct node *last)
{
    sink += last->value + last->kind;
}

/* ---- the contestants: each makes `count` nodes and drops them ---- */

/* Nothing is made or dropped: what filling in the nodes alone takes. */
static void by_array(size_t count)
{
    static struct node *nodes;
    struct node *last = NULL;
    if (nodes == NULL && (nodes = malloc(BLOCKS * sizeof *nodes)) == NULL)
        die("malloc");
    for (size_t i = 0; i < count; i++)
        last = join(nodes + i, last, i);
    keep(last);
}

static void by_malloc(size_t count)
{
    struct node *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct node *node = malloc(sizeof *node);
        if (node == NULL)
            die("malloc");
        last = join(node, last, i);
    }
    keep(last);
    for (struct node *next; last != NULL; last = next) {
        next = last->left;
        free(last);
    }
}

static void by_arena(size_t count)
{
    gca_arena *arena = gca_arena_new(NULL);
    struct node *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct node *node = gca_arena_alloc_aligned(arena, sizeof *node, _Alignof(struct node));
        if (node == NULL)
            die("arena");
        last = join(node, last, i);
    }
    keep(last);
    gca_arena_free(arena);
}

static void by_cursor(size_t count)
{
    gca_arena *arena = gca_arena_new(NULL);
    gca_cursor cursor = gca_cursor_open(arena);
    struct node *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct node *node = gca_cursor_make(&cursor, struct node);
        if (node == NULL)
            die("cursor");
        last = join(node, last, i);
    }
    keep(last);
    gca_cursor_close(cursor);
    gca_arena_free(arena);
}

/* One arena for all rounds. */
static void by_reset(size_t count)
{
    static gca_arena *arena;
    if (arena == NULL)
        arena = gca_arena_new(NULL);
    gca_cursor cursor = gca_cursor_open(arena);
    struct node *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct node *node = gca_cursor_make(&cursor, struct node);
        if (node == NULL)
            die("reset");
        last = join(node, last, i);
    }
    keep(last);
    gca_cursor_close(cursor);
    gca_arena_reset(arena);
}

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static void by_obstack(size_t count)
{
    struct obstack stack;
    struct node *last = NULL;
    obstack_init(&stack);
    for (size_t i = 0; i < count; i++)
        last = join(obstack_alloc(&stack, sizeof *last), last, i);
    keep(last);
    obstack_free(&stack, NULL);
}

static struct {
    int (*initialize)(void);
    int (*create)(void **pool_out, void *parent, void *abort_function, void *allocator);
    void *(*allocate)(void *pool, size_t size_bytes);
    void (*destroy)(void *pool);
} apr;

static void by_apr(size_t count)
{
    void *pool;
    struct node *last = NULL;
    if (apr.create(&pool, NULL, NULL, NULL) != 0)
        die("apr");
    for (size_t i = 0; i < count; i++)
        last = join(apr.allocate(pool, sizeof *last), last, i);
    keep(last);
    apr.destroy(pool);
}

static struct {
    void *(*pool)(const void *context, size_t size_bytes);
    void *(*allocate)(const void *context, size_t size_bytes, const char *name);
    int (*free)(void *pointer, const char *location);
} talloc;

static void by_talloc(size_t count)
{
    void *pool = talloc.pool(NULL, 64);
    struct node *last = NULL;
    for (size_t i = 0; i < count; i++)
        last = join(talloc.allocate(pool, sizeof *last, "node"), last, i);
    keep(last);
    talloc.free(pool, "here");
}

static struct {
    void *(*allocate)(size_t size_bytes);
    void (*free_chain)(size_t size_bytes, void *first, size_t next_offset);
} glib;

static void by_glib(size_t count)
{
    struct node *last = NULL;
    for (size_t i = 0; i < count; i++)
        last = join(glib.allocate(sizeof *last), last, i);
    keep(last);
    glib.free_chain(sizeof *last, last, offsetof(struct node, left));
}

static bool find(const char *file, const char *const *names, void **functions, size_t count)
{
    void *library = dlopen(file, RTLD_NOW);
    for (size_t i = 0; library != NULL && i < count; i++)
        if ((functions[i] = dlsym(library, names[i])) == NULL)
            return false;
    return library != NULL;
}

/* ---- one operation after another ---- */

enum { THINGS = 1024 };

static void look_up_handles(size_t count)
{
    static gca_handles *table;
    static gca_handle handles[THINGS];
    static uint64_t things[THINGS];
    uint64_t sum = 0;
    if (table == NULL) {
        table = gca_handles_new(0);
        for (size_t i = 0; i < THINGS; i++)
            handles[i] = gca_handle_add(table, &things[i]);
    }
    for (size_t i = 0; i < count; i++)
        sum += (uintptr_t)gca_handle_get(table, handles[i * 7 % THINGS]);
    sink += sum;
}

/* An object is out for as long as 64 others are taken. */
static void turn_over_pool(size_t count)
{
    static gca_pool *pool;
    void *out[64] = {NULL};
    if (pool == NULL)
        pool = gca_pool_new(&(gca_pool_options){.object_bytes = sizeof(struct node)});
    for (size_t i = 0; i < count; i++) {
        gca_pool_put(pool, out[i % 64]);
        out[i % 64] = gca_pool_get(pool);
    }
    for (size_t i = 0; i < 64; i++)
        gca_pool_put(pool, out[i]);
}

static void turn_over_malloc(size_t count)
{
    void *out[64] = {NULL};
    for (size_t i = 0; i < count; i++) {
        free(out[i % 64]);
        out[i % 64] = malloc(sizeof(struct node));
    }
    for (size_t i = 0; i < 64; i++)
        free(out[i]);
}

/* Nothing is written, and the arena stays in the cache: the allocation alone. */
static void allocate(size_t count)
{
    static gca_arena *arena;
    if (arena == NULL)
        arena = gca_arena_new(NULL);
    for (size_t i = 0; i < count; i++) {
        if (i % THINGS == 0)
            gca_arena_reset(arena);
        void *block = gca_arena_alloc(arena, sizeof(struct node));
        __asm__ volatile("" : : "r"(block) : "memory");
    }
}

static void allocate_by_cursor(size_t count)
{
    static gca_arena *arena;
    if (arena == NULL)
        arena = gca_arena_new(NULL);
    for (size_t done = 0; done < count; done += THINGS) {
        gca_arena_reset(arena);
        gca_cursor cursor = gca_cursor_open(arena);
        for (size_t i = 0; i < THINGS; i++) {
            void *block = gca_cursor_alloc(&cursor, sizeof(struct node), sizeof(void *));
            __asm__ volatile("" : : "r"(block));
        }
        gca_cursor_close(cursor);
    }
}

static void open_scopes(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gca_arena *arena = gca_arena_new(NULL);
        sink += (uintptr_t)gca_arena_alloc(arena, 100);
        gca_arena_free(arena);
    }
}

/* ---- measuring ---- */

struct contestant {
    const char *name;
    void (*run)(size_t count);
    double ns[ROUNDS_MAX];
};

static struct contestant contestants[] = {
    {.name = "(filled in only)", .run = by_array},
    {.name = "gca_arena", .run = by_arena},        {.name = "gca_cursor", .run = by_cursor},
    {.name = "gca_arena_reset", .run = by_reset},  {.name = "libc malloc+free", .run = by_malloc},
    {.name = "libc obstack", .run = by_obstack},   {.name = "APR pool", .run = by_apr},
    {.name = "talloc pool", .run = by_talloc},     {.name = "GLib g_slice", .run = by_glib},
};

static struct contestant operations[] = {
    {.name = "arena alloc", .run = allocate},             {.name = "  with a cursor", .run = allocate_by_cursor},
    {.name = "handle lookup", .run = look_up_handles},    {.name = "pool get+put", .run = turn_over_pool},
    {.name = "libc malloc+free", .run = turn_over_malloc}, {.name = "arena new+free", .run = open_scopes},
};

enum { CONTESTANTS = sizeof contestants / sizeof *contestants, OPERATIONS = sizeof operations / sizeof *operations };

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static void race(const char *what, struct contestant *all, size_t contestant_count, size_t count, size_t rounds)
{
    printf("%s\n", what);
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < contestant_count; i++)
            if (all[i].run != NULL) {
                double start = now_ns();
                all[i].run(count);
                all[i].ns[round] = now_ns() - start;
            }
    for (size_t i = 0; i < contestant_count; i++) {
        if (all[i].run == NULL)
            continue;
        qsort(all[i].ns, rounds, sizeof(double), compare);
        double median = all[i].ns[rounds / 2];
        printf("  %-18s %10.1f us %8.2f ns each, best %8.2f\n", all[i].name, median / 1e3, median / (double)count,
               all[i].ns[0] / (double)count);
    }
}

int main(void)
{
    if (!find("libapr-1.so.0", (const char *[]){"apr_initialize", "apr_pool_create_ex", "apr_palloc", "apr_pool_destroy"},
              (void **)&apr, 4) || apr.initialize() != 0)
        contestants[6].run = NULL;
    if (!find("libtalloc.so.2", (const char *[]){"talloc_pool", "talloc_named_const", "_talloc_free"}, (void **)&talloc, 3))
        contestants[7].run = NULL;
    if (!find("libglib-2.0.so.0", (const char *[]){"g_slice_alloc", "g_slice_free_chain_with_offset"}, (void **)&glib, 2))
        contestants[8].run = NULL;
    race("10,000 nodes of 32 bytes, made and dropped", contestants, CONTESTANTS, NODES, ROUNDS_MAX);
    race("1,000,000 blocks of 32 bytes, made and dropped", contestants, CONTESTANTS, BLOCKS, 15);
    race("operations", operations, OPERATIONS, 100000, 50);
    return 0;
}
