/*
 * os/held: values that a program has given to the kernel and that lie nowhere else: what epoll_wait() will return, what
 * a timer's signal will bring.
 *
 * Not to be had from the kernel: signals that are queued, messages, requests of io_uring and aio on their way.
 * Nothing here locks or allocates.
 */
#ifndef OS_HELD_H
#define OS_HELD_H

#include <stddef.h>
#include <stdint.h>

typedef void os_held_value(uint64_t value, void *context);

/* Calls `value` for the data of every file that an epoll descriptor of the process watches. text is room for reading. */
int os_held_by_epoll(os_held_value *value, void *context, char *text, size_t text_bytes);

/* Calls `value` for the signal value of every POSIX timer. A kernel that does not show them shows none. */
int os_held_by_timers(os_held_value *value, void *context, char *text, size_t text_bytes);

#endif
