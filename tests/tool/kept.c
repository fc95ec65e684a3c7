/*
 * tool/kept: a program of which it is known who keeps what. It says where its blocks are, a name and an address a line,
 * then "done"; then does what its standard input says, and answers each line with "done".
 *
 *     busy COUNT    so many threads more that allocate, move and free without end
 *     watch         a thread that waits for epoll, and one for semop; they count how often that fails
 *     count         say how often
 *     large MIB     a list of that much memory
 *     damage COUNT SEED   overwrite so many words of the heap's own tables, chosen at random
 *     abort
 */
#include "support/opaque.h"
#include "support/threads.h"
#include "tool/damage.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

struct item {
    struct item *next;
    void *data;
    char name[24];
};

struct table {
    long count;
    struct item *first;
};

struct table *kept_table;
void *kept_inside;
struct item *kept_large;
static _Thread_local void *kept_by_thread;
static _Atomic int interruptions;
static _Atomic int watchers[2]; /* ids of the threads that wait */

static void *block(size_t size_bytes)
{
    void *made = opaque(malloc(opaque_size(size_bytes)));
    if (made == NULL)
        abort();
    memset(made, 0, size_bytes);
    return made;
}

__attribute__((noinline)) static struct item *item_new(struct item *next)
{
    struct item *item = block(sizeof *item);
    item->next = next;
    item->data = block(1000);
    return item;
}

static void say(const char *name, const void *address)
{
    printf("%s %p\n", name, address);
}

static void keep_in_kernel(void)
{
    void *by_epoll = block(71);
    void *by_timer = block(72);
    int epoll = epoll_create1(0), event = eventfd(0, 0);
    struct epoll_event what = {.events = EPOLLIN, .data.ptr = by_epoll};
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_ptr = by_timer};
    timer_t timer;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, event, &what) != 0 || timer_create(CLOCK_MONOTONIC, &how, &timer) != 0)
        abort();
    say("epoll", by_epoll);
    say("timer", by_timer);
}

__attribute__((noinline)) static void keep(void)
{
    kept_table = block(sizeof *kept_table);
    for (int i = 0; i < 40; i++)
        kept_table->first = item_new(kept_table->first);
    const struct item *item = kept_table->first;
    for (int i = 0; i < 30; i++)
        item = item->next;
    char *inside = block(500);
    kept_inside = inside + 16;
    kept_by_thread = block(50);
    struct item *lost = item_new(NULL);
    say("table", kept_table);
    say("deep", item->data);
    say("inside", inside);
    say("local", kept_by_thread);
    say("lost", lost);
    say("lost-data", lost->data);
    void *freed = block(3000);
    say("freed", freed);
    free(freed);
    keep_in_kernel();
}

/* What was left on the stack by the functions above. */
__attribute__((noinline)) static void wipe_stack(void)
{
    volatile char frame[65536];
    memset((char *)frame, 0, sizeof frame);
}

/* realloc of a large block moves it. */
static void *be_busy(void *context)
{
    void *blocks[64] = {NULL};
    unsigned seed = (unsigned)(uintptr_t)context;
    for (size_t i = 0;; i++) {
        size_t size_bytes = i % 16 == 0 ? 200000 + (size_t)rand_r(&seed) % 2000000 : 16 + (size_t)rand_r(&seed) % 500;
        blocks[i % 64] = realloc(blocks[i % 64], size_bytes);
        if (i % 3 == 0) {
            free(blocks[i % 64]);
            blocks[i % 64] = NULL;
        }
    }
    return NULL;
}

static void *watch_epoll(void *unused)
{
    struct epoll_event event;
    int epoll = epoll_create1(0);
    watchers[0] = gettid();
    for (;;)
        if (epoll_wait(epoll, &event, 1, -1) < 0)
            atomic_fetch_add(&interruptions, 1);
    return unused;
}

static void *watch_semaphore(void *unused)
{
    int semaphores = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf wait = {.sem_op = -1};
    semctl(semaphores, 0, SETVAL, 0);
    watchers[1] = gettid();
    for (;;)
        if (semop(semaphores, &wait, 1) < 0 && (atomic_fetch_add(&interruptions, 1), errno != EINTR))
            return unused;
    return unused;
}

static void start(void *(*function)(void *), void *context)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, function, context) != 0)
        abort();
}

static void obey(const char *line)
{
    unsigned count, seed;
    if (sscanf(line, "busy %u", &count) == 1) {
        while (count-- > 0)
            start(be_busy, (void *)(uintptr_t)(count + 1));
    } else if (strcmp(line, "watch\n") == 0) {
        start(watch_epoll, NULL);
        start(watch_semaphore, NULL);
        thread_await_sleep(&watchers[0]);
        thread_await_sleep(&watchers[1]);
    } else if (strcmp(line, "count\n") == 0) {
        printf("interruptions %d\n", atomic_load(&interruptions));
    } else if (sscanf(line, "large %u", &count) == 1) {
        for (size_t i = 0; i < (size_t)count * 1024; i++)
            kept_large = item_new(kept_large);
    } else if (sscanf(line, "damage %u %u", &count, &seed) == 2) {
        damage_tables(count, seed);
    } else {
        abort();
    }
}

int main(void)
{
    char line[128];
    static char output[4096];
    static char input[4096]; /* nor does reading make a block, at some moment or other */
    setvbuf(stdout, output, _IOFBF, sizeof output);
    setvbuf(stdin, input, _IOFBF, sizeof input);
    keep();
    wipe_stack();
    void *volatile on_stack = block(333);
    say("stack", on_stack);
    puts("done");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        obey(line);
        puts("done");
        fflush(stdout);
    }
    return on_stack == NULL;
}
