/* roots/kernel: values that a program has given to the kernel. */
#include "places.h"

#include "support/require.h"

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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

/* Polls of a descriptor that is not ready, many more than the ring has slots, so that each slot is used again. */
enum { RING_ENTRIES = 32 };

static struct io_uring_params parameters;
static unsigned char *ring;
static struct io_uring_sqe *ring_requests;
static size_t ring_bytes;
static int ring_file, never_ready;

static uint32_t *ring_word(uint32_t offset)
{
    return (uint32_t *)(void *)(ring + offset);
}

static void open_ring(void)
{
    memset(&parameters, 0, sizeof parameters);
    ring_file = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &parameters);
    if (ring_file < 0) {
        puts("no io_uring here");
        exit(0);
    }
    require((never_ready = eventfd(0, EFD_CLOEXEC)) >= 0);
    ring_bytes = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    if (ring_bytes < parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t))
        ring_bytes = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
    ring = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring_file, IORING_OFF_SQ_RING);
    ring_requests = mmap(NULL, RING_ENTRIES * sizeof *ring_requests, PROT_READ | PROT_WRITE, MAP_SHARED, ring_file, IORING_OFF_SQES);
    require(ring != MAP_FAILED && (void *)ring_requests != MAP_FAILED);
}

static void put_request(size_t index, uintptr_t block)
{
    uint32_t tail = *ring_word(parameters.sq_off.tail);
    uint32_t slot = tail & (RING_ENTRIES - 1);
    (void)index;
    ring_requests[slot] = (struct io_uring_sqe){.opcode = IORING_OP_POLL_ADD, .fd = never_ready, .poll32_events = POLLIN, .user_data = block};
    ring_word(parameters.sq_off.array)[slot] = slot;
    __atomic_store_n(ring_word(parameters.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
    require(syscall(SYS_io_uring_enter, ring_file, 1, 0, 0, NULL, 0) == 1);
}

static void close_ring(void)
{
    struct io_uring_cqe *completions = (struct io_uring_cqe *)(void *)(ring + parameters.cq_off.cqes);
    uint64_t one = 1;
    require(write(never_ready, &one, sizeof one) == sizeof one);
    for (size_t done = 0; done < BLOCKS;) {
        require(syscall(SYS_io_uring_enter, ring_file, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) >= 0);
        uint32_t head = *ring_word(parameters.cq_off.head);
        uint32_t tail = __atomic_load_n(ring_word(parameters.cq_off.tail), __ATOMIC_ACQUIRE);
        done += tail - head;
        __atomic_store_n(ring_word(parameters.cq_off.head), tail, __ATOMIC_RELEASE);
    }
    require(syscall(SYS_io_uring_enter, ring_file, 0, 0, 0, NULL, 0) == 0);
    memset(ring_requests, 0, RING_ENTRIES * sizeof *ring_requests);
    memset(completions, 0, parameters.cq_entries * sizeof *completions);
}

/* The same by aio, whose requests are copied when they are submitted. */
static aio_context_t aio;

static void open_aio(void)
{
    if (syscall(SYS_io_setup, BLOCKS, &aio) != 0) {
        puts("no aio here");
        exit(0);
    }
    require((never_ready = eventfd(0, EFD_CLOEXEC)) >= 0);
}

static void put_aio(size_t index, uintptr_t block)
{
    static struct iocb request;
    struct iocb *list = &request;
    (void)index;
    request = (struct iocb){.aio_data = block, .aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (uint32_t)never_ready, .aio_buf = POLLIN};
    require(syscall(SYS_io_submit, aio, 1, &list) == 1);
    memset(&request, 0, sizeof request);
}

static void close_aio(void)
{
    static struct io_event events[BLOCKS];
    uint64_t one = 1;
    require(write(never_ready, &one, sizeof one) == sizeof one);
    require(syscall(SYS_io_getevents, aio, BLOCKS, BLOCKS, events, NULL) == BLOCKS);
    memset(events, 0, sizeof events);
    require(syscall(SYS_io_destroy, aio) == 0); /* its ring is memory, too */
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
    {"requests to io_uring", open_ring, put_request, NULL, close_ring, 0, NULL},
    {"requests to aio", open_aio, put_aio, NULL, close_aio, 0, NULL},
    {"timer values", NULL, put_timer, NULL, delete_timers, 0, NULL},
    {"values of timers that start threads", NULL, put_thread_timer, NULL, delete_timers, 0, NULL},
    {NULL, NULL, NULL, NULL, NULL, 0, NULL},
};
