/*
 * bench/own: what references, borrows, types and cycles cost, each call included, and what GLib's, talloc's and C++'s take for the like.
 *
 * Linked with the library. Peers are used when they are there. Each work is done in turn by all, over and over, and
 * the lowest time counts: what a machine that others use adds is not the code's.
 */
#include "bench/shared_ptr.h"
#include "gcalloc.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS = 100000, ROUNDS = 60, OBJECTS = 1000 };

struct node {
    struct node *left, *right;
    uint64_t value;
};

GCA_TYPE(struct node, GCA_POINTERS(struct node, left, right));

struct leaf {
    uint64_t value[3];
};

GCA_TYPE(struct leaf);

static struct leaf *leaf;
static gca_weak weak;
static gca_handles *handles;
static gca_handle handle;
static void *boxed;
static volatile uintptr_t sink;

static void *(*glib_new)(size_t), *(*glib_acquire)(void *);
static void (*glib_release)(void *);
static void *(*glib_atomic_new)(size_t), *(*glib_atomic_acquire)(void *);
static void (*glib_atomic_release)(void *);
static void *atomically_boxed;
static void *(*talloc_named)(const void *, size_t, const char *);
static int (*talloc_free_one)(void *, const char *);

/* Something is done in between that no compiler sees through: it could fold what follows each other, as it may in programs. */
#define USE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

static void retain(void)
{
    for (int i = 0; i < CALLS; i++)
        USE(gca_retain(leaf));
}

static void release_all(void)
{
    for (int i = 0; i < CALLS; i++) {
        gca_release(leaf);
        USE(leaf);
    }
}

static void retain_release(void)
{
    for (int i = 0; i < CALLS; i++) {
        USE(gca_retain(leaf));
        gca_release(leaf);
        USE(leaf);
    }
}

static void upgrade(void)
{
    for (int i = 0; i < CALLS; i++)
        sink = (uintptr_t)gca_upgrade(weak);
}

static void get(void)
{
    for (int i = 0; i < CALLS; i++)
        sink = (uintptr_t)gca_get(weak);
}

static void look_up(void)
{
    for (int i = 0; i < CALLS; i++)
        sink = (uintptr_t)gca_handle_get(handles, handle);
}

static void borrow_end(void)
{
    for (int i = 0; i < CALLS; i++) {
        const struct leaf *reader = gca_borrow(leaf);
        USE(reader);
        gca_end(reader);
        USE(leaf);
    }
}

/* In a function that calls no other in between. */
static void borrow_end_folded(void)
{
    for (int i = 0; i < CALLS; i++) {
        const struct leaf *reader = gca_borrow(leaf);
        sink = reader->value[0];
        gca_end(reader);
    }
}

static void new_drop(void)
{
    for (int i = 0; i < CALLS; i++) {
        struct leaf *object = gca_new(struct leaf);
        sink = (uintptr_t)object;
        gca_drop(object);
    }
}

static void rc_new_release(void)
{
    for (int i = 0; i < CALLS; i++) {
        struct leaf *object = gca_rc_new(struct leaf);
        sink = (uintptr_t)object;
        gca_release(object);
    }
}

static void calloc_free(void)
{
    for (int i = 0; i < CALLS; i++) {
        void *object = calloc(1, sizeof(struct leaf));
        sink = (uintptr_t)object;
        free(object);
    }
}

static void g_rc_box(void)
{
    for (int i = 0; i < CALLS; i++) {
        glib_acquire(boxed);
        glib_release(boxed);
    }
}

static void g_atomic_rc_box(void)
{
    for (int i = 0; i < CALLS; i++) {
        glib_atomic_acquire(atomically_boxed);
        glib_atomic_release(atomically_boxed);
    }
}

static void g_rc_box_new(void)
{
    for (int i = 0; i < CALLS; i++) {
        void *object = glib_new(sizeof(struct leaf));
        sink = (uintptr_t)object;
        glib_release(object);
    }
}

static void talloc_new(void)
{
    for (int i = 0; i < CALLS; i++) {
        void *object = talloc_named(NULL, sizeof(struct leaf), "leaf");
        sink = (uintptr_t)object;
        talloc_free_one(object, "here");
    }
}

static void upgrade_release(void)
{
    for (int i = 0; i < CALLS; i++) {
        void *object = gca_upgrade(weak);
        sink = (uintptr_t)object;
        gca_release(object);
    }
}

static void copy_shared_ptr(void)
{
    shared_ptr_copy(CALLS);
}

static void lock_weak_ptr(void)
{
    shared_ptr_lock(CALLS);
}

static void make_shared_ptr(void)
{
    shared_ptr_make(CALLS);
}

struct file {
    void *stream;
    uint64_t value;
};

static void close_file(void *file)
{
    sink = (uintptr_t)((struct file *)file)->stream;
}

GCA_TYPE(struct file, .drop = close_file);

static void new_drop_by_function(void)
{
    for (int i = 0; i < CALLS; i++) {
        struct file *object = gca_new(struct file);
        sink = (uintptr_t)object;
        gca_drop(object);
    }
}

/* ---- a thousand objects at a time ---- */

static struct node *ring;

static __attribute__((noinline)) void make_ring(void)
{
    struct node *first = gca_rc_new(struct node), *last = first;
    for (int i = 1; i < OBJECTS; i++) {
        last->left = gca_rc_new(struct node);
        last = last->left;
    }
    last->left = gca_retain(first);
    gca_release(first);
}

static void make_live(void)
{
    make_ring();
    gca_cycles(0);
}

static void collect(void)
{
    gca_cycles(0);
}

static void suspect_live(void)
{
    gca_retain(ring);
    gca_release(ring);
    gca_cycles(0);
}

static void own_1000(void)
{
    struct leaf *owner = gca_new(struct leaf);
    for (int i = 0; i < OBJECTS; i++)
        gca_own(gca_new(struct leaf), owner);
    gca_drop(owner);
}

static void talloc_own_1000(void)
{
    void *owner = talloc_named(NULL, sizeof(struct leaf), "leaf");
    for (int i = 0; i < OBJECTS; i++)
        sink = (uintptr_t)talloc_named(owner, sizeof(struct leaf), "leaf");
    talloc_free_one(owner, "here");
}

/* ---- measuring ---- */

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct work {
    const char *name;
    void (*before)(void);
    void (*work)(void);
    void (*after)(void);
    double divisor; /* what one time is divided by */
    const char *unit;
    double best;
} works[] = {
    {"gca_retain", NULL, retain, release_all, CALLS, "ns", 0},
    {"gca_retain + gca_release", NULL, retain_release, NULL, CALLS, "ns", 0},
    {"  g_rc_box_acquire + release", NULL, g_rc_box, NULL, CALLS, "ns", 0},
    {"  g_atomic_rc_box_acquire + release", NULL, g_atomic_rc_box, NULL, CALLS, "ns", 0},
    {"  std::shared_ptr copied + released", NULL, copy_shared_ptr, NULL, CALLS, "ns", 0},
    {"gca_upgrade + gca_release", NULL, upgrade_release, NULL, CALLS, "ns", 0},
    {"  std::weak_ptr locked + released", NULL, lock_weak_ptr, NULL, CALLS, "ns", 0},
    {"gca_upgrade", NULL, upgrade, release_all, CALLS, "ns", 0},
    {"gca_get", NULL, get, NULL, CALLS, "ns", 0},
    {"gca_handle_get", NULL, look_up, NULL, CALLS, "ns", 0},
    {"gca_borrow + gca_end", NULL, borrow_end, NULL, CALLS, "ns", 0},
    {"  the same, read in between only", NULL, borrow_end_folded, NULL, CALLS, "ns", 0},
    {"calloc + free", NULL, calloc_free, NULL, CALLS, "ns", 0},
    {"gca_new + gca_drop", NULL, new_drop, NULL, CALLS, "ns", 0},
    {"gca_new + gca_drop, with a function", NULL, new_drop_by_function, NULL, CALLS, "ns", 0},
    {"gca_rc_new + gca_release", NULL, rc_new_release, NULL, CALLS, "ns", 0},
    {"  g_rc_box_alloc + release", NULL, g_rc_box_new, NULL, CALLS, "ns", 0},
    {"  std::make_shared + released", NULL, make_shared_ptr, NULL, CALLS, "ns", 0},
    {"  talloc + talloc_free", NULL, talloc_new, NULL, CALLS, "ns", 0},
    {"1000 owned, dropped with their owner", NULL, own_1000, NULL, 1000, "us", 0},
    {"  1000 talloc children, freed", NULL, talloc_own_1000, NULL, 1000, "us", 0},
    {"gca_cycles: a garbage ring of 1000", make_ring, collect, NULL, 1000, "us", 0},
    {"gca_cycles: a ring of 1000 that lives", NULL, suspect_live, NULL, 1000, "us", 0},
};

static void *symbol(const char *library, const char *name)
{
    void *handle_of_library = dlopen(library, RTLD_NOW);
    return handle_of_library != NULL ? dlsym(handle_of_library, name) : NULL;
}

static void find_peers(void)
{
    static const char glib[] = "libglib-2.0.so.0", talloc[] = "libtalloc.so.2";
    *(void **)&glib_new = symbol(glib, "g_rc_box_alloc");
    *(void **)&glib_acquire = symbol(glib, "g_rc_box_acquire");
    *(void **)&glib_release = symbol(glib, "g_rc_box_release");
    *(void **)&glib_atomic_new = symbol(glib, "g_atomic_rc_box_alloc");
    *(void **)&glib_atomic_acquire = symbol(glib, "g_atomic_rc_box_acquire");
    *(void **)&glib_atomic_release = symbol(glib, "g_atomic_rc_box_release");
    *(void **)&talloc_named = symbol(talloc, "talloc_named_const");
    *(void **)&talloc_free_one = symbol(talloc, "_talloc_free");
    if (glib_new != NULL)
        boxed = glib_new(sizeof(struct leaf));
    if (glib_atomic_new != NULL)
        atomically_boxed = glib_atomic_new(sizeof(struct leaf));
}

static int is_possible(const struct work *work)
{
    if (work->work == g_rc_box || work->work == g_rc_box_new)
        return boxed != NULL;
    if (work->work == g_atomic_rc_box)
        return atomically_boxed != NULL;
    return (work->work != talloc_new && work->work != talloc_own_1000) || (talloc_named != NULL && talloc_free_one != NULL);
}

int main(void)
{
    find_peers();
    shared_ptr_start();
    leaf = gca_rc_new(struct leaf);
    weak = gca_downgrade(leaf);
    handles = gca_handles_new(0);
    handle = gca_handle_add(handles, leaf);
    make_live();
    ring = gca_rc_new(struct node);
    ring->left = gca_rc_new(struct node);
    struct node *last = ring->left;
    for (int i = 2; i < OBJECTS; i++)
        last = last->left = gca_rc_new(struct node);
    last->left = gca_retain(ring);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
            struct work *work = &works[i];
            if (!is_possible(work))
                continue;
            if (work->before != NULL)
                work->before();
            double start = now_ns();
            work->work();
            double time = (now_ns() - start) / work->divisor;
            if (work->after != NULL)
                work->after();
            if (round == 0 || time < work->best)
                work->best = time;
        }
    printf("option check is %s\n", gca_checks != 0 ? "on" : "off");
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (is_possible(&works[i]))
            printf("%-40s %8.2f %s\n", works[i].name, works[i].best, works[i].unit);
    return 0;
}
