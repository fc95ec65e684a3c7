/* roots/kernel: values that a program has given to the kernel. */
#include "places.h"

#include "support/require.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int watcher;
static int watched[BLOCKS];
static timer_t timers[BLOCKS];

static void open_watcher(void)
{
    watcher = epoll_create1(EPOLL_CLOEXEC);
    require(watcher >= 0);
    for (size_t i = 0; i < BLOCKS; i++)
        require((watched[i] = eventfd(0, EFD_CLOEXEC)) >= 0);
}

static void put_event(size_t index, uintptr_t block)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)block};
    require(epoll_ctl(watcher, EPOLL_CTL_ADD, watched[index], &event) == 0);
}

static void close_watcher(void)
{
    close(watcher);
}

/* As threads tell each other what to work on. */
static int ends[2];

static void open_pipe(void)
{
    require(pipe(ends) == 0);
}

static void put_message(size_t index, uintptr_t block)
{
    require(write(ends[1], "msg", index % 4) == (ssize_t)(index % 4));
    require(write(ends[1], &block, sizeof block) == sizeof block);
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void put_timer(size_t index, uintptr_t block)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_ptr = (void *)block;
    require(timer_create(CLOCK_MONOTONIC, &event, &timers[index]) == 0);
}

static void delete_timers(void)
{
    for (size_t i = 0; i < BLOCKS; i++)
        timer_delete(timers[i]);
}

static void on_expiry(union sigval value)
{
    (void)value;
}

/* The thread that serves the timer gets the value from libc. */
static void put_thread_timer(size_t index, uintptr_t block)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_expiry};
    event.sigev_value.sival_ptr = (void *)block;
    require(timer_create(CLOCK_MONOTONIC, &event, &timers[index]) == 0);
}

const struct place kernel_places[] = {
    {"epoll data", open_watcher, put_event, NULL, close_watcher, 0, NULL},
    {"messages in a pipe", open_pipe, put_message, NULL, close_pipe, 0, NULL},
    {"timer values", NULL, put_timer, NULL, delete_timers, 0, NULL},
    {"values of timers that start threads", NULL, put_thread_timer, NULL, delete_timers, 0, NULL},
    {NULL, NULL, NULL, NULL, NULL, 0, NULL},
};
