/*
 * Places where a program may keep a pointer to what it has freed: as long as it is there, nobody gets the block; soon after it is gone,
 * somebody does.
 *
 * Addresses are remembered complemented, so that the test itself does not hold what it looks for.
 */
#include "gcalloc.h"
#include "support/opaque.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ROUNDS = 6, TAKEN_MAX = 100000, TAKEN_BYTES = 2 << 20 };

static int failures;
static void *volatile in_data = &failures;
static void *volatile in_bss[4];
static __thread void *volatile in_tls;
static void *volatile *mapped;
static void *volatile *shared;
static void *volatile *in_heap;

/* What was used for it is overwritten: old frames hold old pointers. */
static __attribute__((noinline)) void clear_stack(void)
{
    char room[16384];
    memset(opaque(room), 0, sizeof room);
    opaque(room);
}

/* A function of its own, so that no caller keeps the address at hand. */
static __attribute__((noinline)) bool is_held(uintptr_t hidden)
{
    return gca_is_held((void *)~hidden);
}

/*
 * True when one of so many new blocks lies where the other one was, in whole or in part: a block of 16,384 bytes takes two units, and a
 * new one may begin with the second or end with the first.
 */
static __attribute__((noinline)) bool is_taken(uintptr_t hidden, size_t size, size_t bytes)
{
    static uintptr_t taken[TAKEN_MAX];
    bool found = false;
    size_t count = 0;
    for (; count < TAKEN_MAX && count * size < bytes && !found; count++) {
        char *block = opaque(malloc(size));
        size_t room = malloc_usable_size(block);
        found = ~hidden - (uintptr_t)block < room || (uintptr_t)block - ~hidden < room;
        taken[count] = ~(uintptr_t)block;
    }
    while (count > 0)
        free((void *)~taken[--count]);
    clear_stack();
    return found;
}

/* With a collector the blocks that are taken here would be reclaimed: nothing seems to point to them. */
static bool is_collected;

static bool was_reused(uintptr_t hidden, size_t size)
{
    return !is_collected && is_taken(hidden, size, TAKEN_BYTES);
}

/* Free are also those that the search above has freed. */
static bool is_reused(uintptr_t hidden, size_t size)
{
    return is_collected || is_taken(hidden, size, (size_t)(size < 16384 ? 8 : 100) * TAKEN_BYTES);
}

static void expect(bool holds, const char *place, size_t size, size_t offset, const char *what)
{
    if (holds)
        return;
    failures++;
    printf("%s, size %zu, offset %zu: %s\n", place, size, offset, what);
}

/* Frees a block whose address is at the place, at this offset, and sees to it that nobody gets it. */
static __attribute__((noinline)) uintptr_t free_one(void *volatile *place, size_t size,
                                                    size_t offset)
{
    char *block = opaque(malloc(size));
    uintptr_t hidden = ~(uintptr_t)block;
    memset(block, 0x5a, size);
    *place = block + offset;
    free(block);
    return hidden;
}

/* On a busy machine a thread may not get the processor in time to be stopped. */
static void sweep(void)
{
    int result;
    int tries = 0;
    clear_stack();
    do
        result = gca_quarantine_sweep();
    while (result == -EAGAIN && tries++ < 50);
    if (result != 0) {
        printf("a sweep: %d\n", result);
        exit(1);
    }
}

static __attribute__((noinline)) void check_place(const char *name, void *volatile *place,
                                                  size_t size, size_t offset)
{
    uintptr_t hidden = free_one(place, size, offset);
    for (int i = 0; i < ROUNDS; i++) {
        sweep();
        expect(is_held(hidden), name, size, offset, "is not held");
        clear_stack();
    }
    expect(!was_reused(hidden, size), name, size, offset, "was reused");
    *place = NULL;
    sweep();
    sweep();
    expect(!is_held(hidden), name, size, offset, "is still held");
    clear_stack();
    expect(is_reused(hidden, size), name, size, offset, "is not reused");
    sweep();
    sweep();
}

static void check_sizes(const char *name, void *volatile *place)
{
    static const size_t sizes[] = {1, 16, 40, 128, 1000, 8192, 16384, 40000, 300000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_place(name, place, sizes[i], 0);
        check_place(name, place, sizes[i], sizes[i] / 2);
        check_place(name, place, sizes[i], sizes[i]); /* one past the end */
    }
}

/* At four bytes, as in a packed structure; with a tag in the top bits. */
static void check_disguises(void)
{
    static _Alignas(8) char packed[16];
    for (int tag = 0; tag < 2; tag++) {
        void *block = opaque(malloc(100));
        uintptr_t word = (uintptr_t)block | (tag ? (uintptr_t)0xfff9 << 48 : 0);
        uintptr_t hidden = ~(uintptr_t)block;
        memcpy(packed + 4, &word, sizeof word);
        free(block);
        word = 0;
        block = opaque(NULL);
        sweep();
        sweep();
        expect(is_held(hidden), tag ? "a tagged word" : "a packed word", 100, 0, "is not held");
        memset(packed, 0, sizeof packed);
    }
}

static sem_t ready, done;
static volatile uintptr_t of_thread;

/* The only pointer is in a register, or wherever the compiler keeps what it needs after the call. */
static void *hold_in_frame(void *argument)
{
    void *block = opaque(malloc(200));
    of_thread = ~(uintptr_t)block;
    free(block);
    if (argument != NULL) {
        sem_post(&ready);
        sem_wait(&done);
    } else {
        __atomic_store_n((int *)&in_bss[3], 1, __ATOMIC_RELEASE);
        while (__atomic_load_n((int *)&in_bss[3], __ATOMIC_ACQUIRE) == 1)
            ;
    }
    return opaque(block) == NULL ? &failures : NULL;
}

static void *hold_in_tls(void *argument)
{
    (void)argument;
    void *block = opaque(malloc(200));
    of_thread = ~(uintptr_t)block;
    in_tls = block;
    free(block);
    block = opaque(NULL);
    clear_stack();
    sem_post(&ready);
    sem_wait(&done);
    in_tls = NULL;
    return NULL;
}

static void check_thread(const char *name, void *(*function)(void *), bool sleeps)
{
    pthread_t thread;
    pthread_create(&thread, NULL, function, sleeps ? &thread : NULL);
    if (sleeps)
        sem_wait(&ready);
    else
        while (__atomic_load_n((int *)&in_bss[3], __ATOMIC_ACQUIRE) != 1)
            ;
    for (int i = 0; i < ROUNDS; i++) {
        sweep();
        expect(is_held(of_thread), name, 200, 0, "is not held");
    }
    expect(!was_reused(of_thread, 200), name, 200, 0, "was reused");
    if (sleeps)
        sem_post(&done);
    else
        __atomic_store_n((int *)&in_bss[3], 0, __ATOMIC_RELEASE);
    pthread_join(thread, NULL); /* its stack is kept for another thread, and what is there counts */
}

static __attribute__((noinline)) char *make_and_resize(size_t from, size_t to, uintptr_t *hidden)
{
    char *block = opaque(malloc(from));
    *hidden = ~(uintptr_t)block;
    memset(block, 7, from);
    in_bss[0] = block;
    char *moved = opaque(realloc(block, to));
    for (size_t i = 0; i < (from < to ? from : to); i++)
        if (moved[i] != 7) {
            expect(false, "realloc", from, i, "lost a byte");
            break;
        }
    return moved;
}

/* realloc() leaves the old place behind, unless the block could stay. */
static void check_realloc(size_t from, size_t to)
{
    uintptr_t hidden;
    char *moved = make_and_resize(from, to, &hidden);
    bool stayed = (uintptr_t)moved == ~hidden;
    sweep();
    sweep();
    expect(stayed || is_held(hidden), "realloc", from, to, "the old block is not held");
    expect(stayed || !was_reused(hidden, from), "realloc", from, to, "the old block was reused");
    in_bss[0] = NULL;
    sweep();
    sweep();
    expect(!is_held(hidden), "realloc", from, to, "the old block is still held");
    free(moved);
}

static void check_shrunk(void)
{
    char *block = opaque(malloc(4 << 20));
    memset(block, 7, 4 << 20);
    in_bss[0] = block + (3 << 20);
    uintptr_t hidden = ~(uintptr_t)(block + (3 << 20));
    char *smaller = opaque(realloc(block, 1 << 20));
    sweep();
    sweep();
    expect(is_held(hidden), "a block that shrank", 4 << 20, 3 << 20,
           "what was cut off is not held");
    in_bss[0] = NULL;
    sweep();
    sweep();
    expect(!is_held(hidden), "a block that shrank", 4 << 20, 3 << 20,
           "what was cut off is still held");
    free(smaller);
}

/* Held blocks that point to each other, in a ring, do not hold each other: they are wiped. */
static __attribute__((noinline)) void free_ring(uintptr_t *hidden, size_t count)
{
    void **first = opaque(malloc(64)), **last = first;
    hidden[0] = ~(uintptr_t)first;
    for (size_t i = 1; i < count; i++) {
        void **next = opaque(malloc(64));
        hidden[i] = ~(uintptr_t)next;
        *last = next;
        last = next;
    }
    *last = first;
    for (size_t i = 0; i < count; i++)
        free((void *)~hidden[i]);
}

static void check_ring(void)
{
    uintptr_t hidden[100];
    free_ring(hidden, 100);
    sweep();
    sweep();
    int held = 0;
    for (size_t i = 0; i < 100; i++)
        held += is_held(hidden[i]);
    expect(held <= 2, "a ring", 64, (size_t)held,
           "is still held"); /* some old register may hold one */
}

int main(int argc, char **argv)
{
    subject_require(argv);
    is_collected = argc > 1;
    sem_init(&ready, 0, 0);
    sem_init(&done, 0, 0);
    mapped = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    in_heap = malloc(64);
    void *volatile on_stack = NULL;
    check_sizes("data", &in_data);
    check_sizes("bss", &in_bss[1]);
    check_sizes("thread-local", &in_tls);
    check_sizes("a mapping", &mapped[100]);
    check_sizes("a shared mapping", &shared[100]);
    check_sizes("the stack", &on_stack);
    check_sizes("a block", &in_heap[3]);
    in_heap = realloc((void *)in_heap, 1 << 20);
    check_sizes("a large block", &in_heap[100000]);
    check_disguises();
    check_thread("a sleeping thread's frame", hold_in_frame, true);
    check_thread("a running thread's frame", hold_in_frame, false);
    check_thread("a thread's thread-local", hold_in_tls, true);
    check_realloc(100, 5000);
    check_realloc(5000, 100000);
    check_realloc(200000, 3000000);
    check_realloc(3000000, 100000);
    check_realloc(300000, 100);
    check_shrunk();
    if (!is_collected)
        check_ring();
    free((void *)in_heap);
    if (!subject_verify())
        return 1;
    return failures == 0 ? 0 : 1;
}
