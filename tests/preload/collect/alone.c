/*
 * tests/preload/collect/alone: what a program may do although the collector has a thread of its own in it.
 *
 *     alone WHAT        run with GCALLOC_OPTIONS=gc,concurrent=always
 *     alone WHAT free   run with GCALLOC_OPTIONS=quarantine,quarantine_stop=0
 *
 * Each case allocates and loses, or frees, enough for collections before and after, and checks what it kept.
 */
#include "support/opaque.h"
#include "support/refuse.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 20000, ROUNDS = 30 };

struct block {
    struct block *other;
    uintptr_t self;
};

static struct block **kept;
static bool frees;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void work(void)
{
    if (kept == NULL)
        kept = calloc(KEPT, sizeof(struct block *));
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < KEPT; i++) {
            struct block *block = malloc(sizeof *block + (i * 7 + (size_t)round) % 100);
            *block = (struct block){frees ? NULL : kept[(i * 31) % KEPT], (uintptr_t)block};
            if (kept[i] != NULL)
                kept[i]->other = NULL; /* or all would hang together for ever */
            if (frees)
                free(kept[i]);
            kept[i] = block;
        }
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i]->self != (uintptr_t)kept[i] ||
            (kept[i]->other != NULL && kept[i]->other->self != (uintptr_t)kept[i]->other)) {
            fprintf(stderr, "a block in use was changed\n");
            exit(2);
        }
}

/* The kernel refuses a process with more than one thread. */
static void in_a_namespace_of_its_own(void)
{
    if (unshare(CLONE_NEWUSER) != 0 && errno == EINVAL)
        die("unshare");
    work();
    if (syscall(SYS_unshare, CLONE_NEWUSER) != 0 && errno == EINVAL)
        die("unshare by syscall()");
}

static void with_a_guard_page(void)
{
    void *stack;
    if (posix_memalign(&stack, 4096, 1 << 18) != 0 || mprotect(stack, 4096, PROT_NONE) != 0)
        die("a guard page");
    work();
    if (mprotect(stack, 4096, PROT_READ | PROT_WRITE) != 0)
        die("mprotect");
    memset(stack, 1, 1 << 18);
    free(stack);
}

/* The filter stays when the program begins anew: nothing can be tracked then. */
static void without_tracking(const char *self)
{
    if (!refuse_call(SYS_userfaultfd, EPERM))
        die("a filter");
    work();
    execl(self, self, "plain", frees ? "free" : NULL, (char *)NULL);
    die("exec");
}

static void closing_everything(void)
{
    for (int i = 3; i < 2000; i++)
        close(i);
    work();
    int ends[2];
    if (pipe(ends) != 0 || ends[0] != 3 || ends[1] != 4)
        die("the lowest descriptors are the program's");
}

/* The main thread ends first; the last of the program's threads ends the process. */
static void *outlive(void *unused)
{
    usleep(10000);
    work();
    return unused;
}

static void children(void)
{
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            work();
            _exit(0);
        }
        int status;
        work();
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            die("a child");
    }
}

enum { GIVEN = 40, MESSAGES = 20 };

static int watcher, watched[GIVEN][2], messages[2];

/* Out of line, so that nothing of it stays in main()'s frame. */
__attribute__((noinline)) static void give(int index)
{
    struct block *block = malloc(sizeof *block);
    *block = (struct block){NULL, ~(uintptr_t)block};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = block};
    if (pipe(watched[index]) != 0 ||
        epoll_ctl(watcher, EPOLL_CTL_ADD, watched[index][0], &event) != 0)
        die("an event");
    block = malloc(sizeof *block);
    *block = (struct block){NULL, ~(uintptr_t)block};
    if (index < MESSAGES && write(messages[1], &block, sizeof block) != sizeof block)
        die("a message");
}

static void expect_whole(const struct block *block)
{
    if (block->self != ~(uintptr_t)block) {
        fprintf(stderr, "a block that only the kernel had was changed\n");
        exit(2);
    }
}

/* The collector's thread has none of the program's descriptors. */
static void in_the_kernel(void)
{
    struct epoll_event event;
    struct block *block;
    watcher = epoll_create1(EPOLL_CLOEXEC);
    if (watcher < 0 || pipe(messages) != 0)
        die("descriptors");
    for (int i = 0; i < GIVEN; i++)
        give(i);
    work();
    work();
    for (int i = 0; i < GIVEN; i++) {
        if (write(watched[i][1], "x", 1) != 1 || epoll_wait(watcher, &event, 1, -1) != 1 ||
            epoll_ctl(watcher, EPOLL_CTL_DEL, watched[i][0], NULL) != 0)
            die("epoll_wait");
        expect_whole(event.data.ptr);
    }
    for (int i = 0; i < MESSAGES; i++) {
        if (read(messages[0], &block, sizeof block) != sizeof block)
            die("read");
        expect_whole(block);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "plain";
    frees = argc > 2;
    work();
    if (strcmp(what, "namespace") == 0)
        in_a_namespace_of_its_own();
    else if (strcmp(what, "guard") == 0)
        with_a_guard_page();
    else if (strcmp(what, "denied") == 0)
        without_tracking(argv[0]);
    else if (strcmp(what, "close") == 0)
        closing_everything();
    else if (strcmp(what, "kernel") == 0)
        in_the_kernel();
    else if (strcmp(what, "children") == 0)
        children();
    else if (strcmp(what, "exec") == 0)
        execl(argv[0], argv[0], "plain", frees ? "free" : NULL, (char *)NULL);
    else if (strcmp(what, "main-first") == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, outlive, NULL) != 0)
            die("pthread_create");
        pthread_exit(NULL);
    }
    work();
    return 0;
}
