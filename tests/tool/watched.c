/*
 * tool/watched: programs that notice when a look into them is not of one moment, or leaves anything behind.
 *
 *     wander          threads move 4096 blocks of 100 bytes from place to place in a large heap; each is always held by one
 *                     place at least
 *     gone            a block of 7001 bytes is held by a large block, whose pages then are given back, and a block of 9001
 *                     bytes is held while it is not: never both
 *     count           counts SIGRTMIN+3 and computes; at the end of its input it says how many came
 *     call NAME       the first thread is in the system call of that name; it says what that returns
 *     sandbox, strict the same as wander, with a seccomp filter that kills for userfaultfd, or in seccomp's strict mode
 *
 * Each says "ready" first, and ends with its input. "errands N" is how often a tool has had a thread do something.
 */
#include "base/image.h"
#include "os/errand.h"
#include "support/opaque.h"
#include "tool/damage.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCKS = 4096, HOLDERS = 2048, SLOTS = 2048, MOVERS = 2, GONE_BYTES = 1 << 20, PAGE_BYTES = 4096, KILLED_CALL = 323 };

static void say(const char *word, long number)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %ld\n", word, number);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
}

static void await_end(void)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR)
        errno = 0;
}

/* What a tool leaves there is where a thread was when it was sent. */
static int has_been_sent(void)
{
    const struct os_errand *room = (const struct os_errand *)damage_image()->errand_room;
    return room != NULL && room->program_counter != 0;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- wander ---- */

static void *_Atomic *holders[HOLDERS];
static uint32_t places[BLOCKS];
static atomic_bool is_over;

static void *_Atomic *place_of(uint32_t place)
{
    return &holders[place / SLOTS][place % SLOTS];
}

static void *move(void *first)
{
    uint64_t state = (uint64_t)(size_t)first + 88172645463325252;
    while (!atomic_load(&is_over)) {
        uint32_t i = (uint32_t)(next_random(&state) % (BLOCKS / MOVERS)) * MOVERS + (uint32_t)(size_t)first;
        uint32_t to = (uint32_t)(next_random(&state) % (HOLDERS * SLOTS / MOVERS)) * MOVERS + (uint32_t)(size_t)first;
        if (atomic_load(place_of(to)) != NULL)
            continue;
        atomic_store(place_of(to), atomic_load(place_of(places[i])));
        atomic_store(place_of(places[i]), NULL);
        places[i] = to;
    }
    return NULL;
}

static void fill(void)
{
    for (size_t i = 0; i < HOLDERS; i++)
        holders[i] = calloc(SLOTS, sizeof *holders[i]);
    for (size_t i = 0; i < HOLDERS; i++)
        for (size_t page = 0; page < SLOTS; page += PAGE_BYTES / sizeof *holders[i])
            atomic_store(&holders[i][page + 1], (void *)1);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        places[i] = 2 * (i / MOVERS) * MOVERS + i % MOVERS + 2 * MOVERS * BLOCKS;
        while (atomic_load(place_of(places[i])) != NULL)
            places[i] += MOVERS;
        atomic_store(place_of(places[i]), opaque(malloc(100)));
    }
}

static int wander(void (*restrict_self)(void))
{
    pthread_t movers[MOVERS];
    fill();
    for (size_t i = 0; i < MOVERS; i++)
        pthread_create(&movers[i], NULL, move, (void *)i);
    if (restrict_self != NULL)
        restrict_self();
    say("ready", 0);
    await_end();
    atomic_store(&is_over, true);
    for (size_t i = 0; i < MOVERS; i++)
        pthread_join(movers[i], NULL);
    size_t found = 0;
    for (uint32_t i = 0; i < BLOCKS; i++)
        found += atomic_load(place_of(places[i])) != NULL;
    say("found", (long)found);
    say("errands", has_been_sent());
    return 0;
}

/* ---- filters ---- */

static void enter_sandbox(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KILLED_CALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        _exit(77);
}

static void enter_strict(void)
{
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0)
        _exit(77);
}

/* ---- gone ---- */

static void *_Atomic second;

__attribute__((noinline)) static uintptr_t make_first(void)
{
    return ~(uintptr_t)opaque(malloc(7001));
}

__attribute__((noinline)) static uintptr_t make_second(void)
{
    return ~(uintptr_t)opaque(malloc(9001));
}

/* Below what is in use, so that no copy of an address stays there. */
__attribute__((noinline)) static void hold_first(void *_Atomic *words, size_t count, uintptr_t hidden)
{
    for (size_t i = 0; i < count; i++)
        atomic_store(&words[i], (void *)~hidden);
}

__attribute__((noinline)) static void hold_second(uintptr_t hidden)
{
    atomic_store(&second, (void *)~hidden);
}

__attribute__((noinline)) static void forget_registers(void)
{
    volatile char room[1024];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

static void *alternate(void *unused)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    uintptr_t hidden_first = make_first(), hidden_second = make_second();
    char *block = malloc(GONE_BYTES + PAGE_BYTES);
    char *pages = block + (PAGE_BYTES - (uintptr_t)block % PAGE_BYTES) % PAGE_BYTES;
    while (!atomic_load(&is_over)) {
        hold_first((void *_Atomic *)pages, GONE_BYTES / sizeof(void *), hidden_first);
        forget_registers();
        nanosleep(&pause, NULL);
        madvise(pages, GONE_BYTES, MADV_DONTNEED);
        hold_second(hidden_second);
        forget_registers();
        nanosleep(&pause, NULL);
        atomic_store(&second, NULL);
    }
    free(block);
    return unused;
}

static int gone(void)
{
    pthread_t thread;
    fill();
    pthread_create(&thread, NULL, alternate, NULL);
    say("ready", 0);
    await_end();
    say("errands", has_been_sent());
    _exit(0);
}

/* ---- count ---- */

static volatile sig_atomic_t came;

static void on_signal(int number)
{
    (void)number;
    came++;
}

static void install(int number)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(number, &action, NULL);
}

static int count(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t state = 1, sum = 0;
    install(SIGRTMIN + 3);
    fill();
    say("ready", 0);
    while (poll(&input, 1, 0) <= 0)
        for (int i = 0; i < 100000; i++)
            sum += next_random(&state) % 3 < 3;
    say("came", came);
    say("wrong", (long)(sum % 100000));
    say("errands", has_been_sent());
    return 0;
}

/* ---- call ---- */

static long call_by_name(const char *name)
{
    char byte;
    sigset_t none, all;
    sem_t semaphore;
    fd_set files;
    struct epoll_event event = {.events = EPOLLIN};
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec seconds = {4, 0}, hour = {3600, 0};
    sigemptyset(&none);
    sigemptyset(&all);
    sigaddset(&all, SIGUSR1);
    FD_ZERO(&files);
    FD_SET(STDIN_FILENO, &files);
    if (strcmp(name, "pause") == 0)
        return pause();
    if (strcmp(name, "read") == 0)
        return read(STDIN_FILENO, &byte, 1);
    if (strcmp(name, "poll") == 0)
        return poll(&input, 1, -1);
    if (strcmp(name, "poll-timeout") == 0)
        return poll(&input, 1, 3600000);
    if (strcmp(name, "select") == 0)
        return select(1, &files, NULL, NULL, NULL);
    if (strcmp(name, "nanosleep") == 0)
        return nanosleep(&seconds, NULL);
    if (strcmp(name, "clock_nanosleep") == 0)
        return clock_nanosleep(CLOCK_MONOTONIC, 0, &seconds, NULL);
    if (strcmp(name, "epoll_wait") == 0) {
        int epoll = epoll_create1(0);
        epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
        return epoll_wait(epoll, &event, 1, -1);
    }
    if (strcmp(name, "futex") == 0) {
        sem_init(&semaphore, 0, 0);
        clock_gettime(CLOCK_REALTIME, &hour);
        hour.tv_sec += 3600;
        return sem_timedwait(&semaphore, &hour);
    }
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (strcmp(name, "sigsuspend") == 0)
        return sigsuspend(&none);
    if (strcmp(name, "ppoll") == 0)
        return ppoll(NULL, 0, NULL, &none);
    if (strcmp(name, "sigtimedwait") == 0)
        return sigtimedwait(&all, NULL, &hour);
    abort();
}

static int call(const char *name)
{
    struct timespec start, end;
    install(SIGUSR1);
    fill();
    say("ready", 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    errno = 0;
    long result = call_by_name(name);
    int error = errno;
    clock_gettime(CLOCK_MONOTONIC, &end);
    say("returned", result);
    say("errno", result < 0 ? error : 0);
    say("came", came);
    say("ms", (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
    say("errands", has_been_sent());
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "wander") == 0)
        return wander(NULL);
    if (strcmp(what, "sandbox") == 0)
        return wander(enter_sandbox);
    if (strcmp(what, "strict") == 0)
        return wander(enter_strict);
    if (strcmp(what, "gone") == 0)
        return gone();
    if (strcmp(what, "count") == 0)
        return count();
    return argc > 2 && strcmp(what, "call") == 0 ? call(argv[2]) : 2;
}
