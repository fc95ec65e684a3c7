/*
 * gc/stop_table: the threads that a stop has to do with, found by their id.
 *
 * Filled by the thread that stops the others; read by the others' signal handlers at the same time. Uses os, base. Locks:
 * none; gc/stop's is held by who writes.
 */
#ifndef GC_STOP_TABLE_H
#define GC_STOP_TABLE_H

#include "os/tasks.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stopped;
struct thread_record;

enum stop_state {
    STOP_GONE,    /* it was there and is not any more */
    STOP_AWAITED, /* a signal is on its way */
    STOP_ANSWERS, /* its handler writes where it stands */
    STOP_ARRIVED, /* it waits in the handler */
    STOP_SAFE,    /* it is in a region, or it is the caller */
    STOP_EMPTY    /* it runs no code of the program's: ended but still listed, or the kernel's */
};

struct stop_entry {
    _Atomic uint32_t state;
    int32_t thread_id;
    struct thread_record *record; /* NULL if it has none */
    bool in_call;
    struct os_call call; /* what it was blocked in before the signal was sent */
};

/* Makes room the first time. Returns 0 or -ENOMEM. */
int stop_table_start(void);

/* Empties it; makes it larger if it was full. */
void stop_table_clear(void);

/* Adds a thread that is not there, as STOP_GONE. NULL when the table is full. */
struct stop_entry *stop_table_add(int32_t thread_id);

/* May be called by any thread at any time. */
struct stop_entry *stop_table_find(int32_t thread_id);

/* The public part of an entry. */
struct stopped *stop_table_public(const struct stop_entry *entry);

/* All entries added, and how many. */
struct stop_entry *stop_table_entries(void);
size_t stop_table_count(void);

/* Drops the public parts of threads that are gone or empty. Returns how many are left. */
size_t stop_table_settle(void);
const struct stopped *stop_table_settled(void);

#endif
