/*
 * Blocks between guard pages, with guard_sample=1. The first argument says what the program does wrong with one; without it, all that is right
 * must work as with any other block.
 */
#include "support/opaque.h"
#include "support/require.h"

#include "gcalloc.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 3000 };

static size_t page_offset(const void *block)
{
    return (uintptr_t)block % (size_t)sysconf(_SC_PAGESIZE);
}

/* A block of this size at the start of its page, or at the end. */
static char *block_at(size_t size, int at_start)
{
    for (int i = 0; i < 8; i++) {
        char *block = opaque(malloc(size));
        require(block != NULL);
        if ((page_offset(block) == 0) == at_start)
            return block;
    }
    require(false && "both kinds of places");
    return NULL;
}

/* ---- right ---- */

static void fill_and_check(size_t size)
{
    unsigned char *block = opaque(malloc(size));
    require(block != NULL && (uintptr_t)block % 16 == 0 && malloc_usable_size(block) >= size);
    memset(block, 0x5a, size);
    block = opaque(realloc(block, size + size / 3 + 1));
    for (size_t i = 0; i < size; i++)
        require(block[i] == 0x5a);
    block = opaque(realloc(block, size / 2 + 1));
    for (size_t i = 0; i < size / 2 + 1 && i < size; i++)
        require(block[i] == 0x5a);
    free(block);
    unsigned char *zeroed = opaque(calloc(size, 1));
    for (size_t i = 0; i < size; i++)
        require(zeroed[i] == 0);
    free(zeroed);
}

static void check_sizes(void)
{
    for (size_t size = 1; size < 600; size++)
        fill_and_check(size);
    for (size_t size = 600; size < 100000; size += size / 7)
        fill_and_check(size);
    for (size_t align = 16; align <= 16384; align *= 2)
        for (size_t size = 1; size < 9000; size += 777) {
            char *block = opaque(aligned_alloc(align, size));
            require((uintptr_t)block % align == 0);
            memset(block, 1, size);
            free(block);
        }
    free(opaque(malloc(0)));
}

static void *free_all(void *blocks)
{
    for (int i = 0; i < COUNT; i++)
        free(((void **)blocks)[i]);
    return NULL;
}

/* More than may be guarded at a time, freed by another thread. */
static void check_threads(void)
{
    void **blocks = calloc(COUNT, sizeof *blocks);
    pthread_t thread;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            memset(blocks[i] = opaque(malloc((size_t)i % 300 + 1)), 1, (size_t)i % 300 + 1);
        require(pthread_create(&thread, NULL, free_all, blocks) == 0);
        require(pthread_join(thread, NULL) == 0);
    }
    free(blocks);
}

static void check_fork(void)
{
    char *kept = opaque(malloc(100));
    strcpy(kept, "inherited");
    pid_t child = fork();
    if (child == 0) {
        require(strcmp(kept, "inherited") == 0);
        free(kept);
        check_sizes();
        _exit(gca_heap_verify() == 0 ? 0 : 1);
    }
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
    free(kept);
}

static void do_right(void)
{
    check_sizes();
    check_threads();
    check_fork();
    require(gca_heap_verify() == 0);
}

/* ---- wrong ---- */

static sigjmp_buf after;

static void on_fault(int number)
{
    siglongjmp(after, number);
}

static void touch(volatile char *address)
{
    (void)*address;
}

static void handle_simply(void)
{
    char *block = block_at(64, 0);
    struct sigaction before;
    signal(SIGSEGV, on_fault);
    require(sigaction(SIGSEGV, NULL, &before) == 0 && before.sa_handler == on_fault && (before.sa_flags & SA_SIGINFO) == 0);
    if (sigsetjmp(after, 1) == 0)
        touch(block + 64);
    else
        free(block);
}

static void do_wrong(const char *what)
{
    if (strcmp(what, "behind") == 0)
        touch(block_at(64, 0) + 64);
    else if (strcmp(what, "before") == 0)
        touch(block_at(64, 1) - 1);
    else if (strcmp(what, "handled") == 0)
        handle_simply();
    else if (strcmp(what, "beside") == 0) {
        char *block = block_at(20, 0);
        block[22] = 1;
        free(block);
    } else if (strcmp(what, "below") == 0) {
        char *block = block_at(20, 0);
        block[-3] = 1;
        free(block);
    } else {
        char *block = block_at(strcmp(what, "large") == 0 ? 40000 : 100, 1);
        free(block);
        if (strcmp(what, "twice") == 0)
            free(block);
        else
            touch(block + 8);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        do_wrong(argv[1]);
    else
        do_right();
    return 0;
}
