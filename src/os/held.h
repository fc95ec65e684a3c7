/*
 * os/held: values that a program has given to the kernel and that lie nowhere else: what epoll_wait() will return, what
 * a timer's signal will bring, what threads tell each other through pipes.
 *
 * Not to be had from the kernel: signals that are queued, messages in sockets and queues, requests of io_uring and aio on
 * their way. Nothing here locks or allocates.
 */
#ifndef OS_HELD_H
#define OS_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void os_held_value(uint64_t value, void *context);

/* Called with what was written to a pipe and not read yet, piece by piece; `first` with a pipe's first piece. */
typedef void os_held_bytes(const unsigned char *bytes, size_t size_bytes, bool first, void *context);

/*
 * True when the thread is blocked in a call that may keep a pipe locked for as long as it takes (splice and its kin), or
 * that can't be told.
 */
bool os_held_locks_pipe(int thread_id);

/* Room for working, aligned to 8; and the thread whose descriptors count, 0 for the calling one. */
struct os_held_room {
    int thread_id;
    char *text;
    size_t text_bytes;
    unsigned char *copy;
    size_t copy_bytes;
    void *list;
    size_t list_bytes;
};

/*
 * Goes through the descriptors of a thread: calls `value` for the data of every file that an epoll descriptor watches,
 * and `bytes` for what every pipe holds that the thread can read and its process has perhaps written itself. The pipes stay as they are.
 * Whoever reads one waits for its lock: if there is something to read and `may_lock` says no, the result is -EBUSY.
 * Returns 0 or -errno.
 */
int os_held_by_files(os_held_value *value, os_held_bytes *bytes, bool (*may_lock)(void), void *context,
                     const struct os_held_room *room);

/* Calls `value` for the signal value of every POSIX timer. A kernel that does not show them shows none. */
int os_held_by_timers(os_held_value *value, void *context, const struct os_held_room *room);

#endif
