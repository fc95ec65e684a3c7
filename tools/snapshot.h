/*
 * tools/snapshot: all that is to be known of a process at one moment: its heap, and where it may keep pointers to it.
 *
 * A live process stands still while that is copied, and goes on at once; what is found out about it, is found out later
 * and here. Of a core file everything is used where it lies.
 */
#ifndef TOOLS_SNAPSHOT_H
#define TOOLS_SNAPSHOT_H

#include "tools/core_file.h"
#include "tools/heap_copy.h"
#include "tools/seize.h"
#include "tools/target.h"
#include "tools/target_maps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that may hold pointers, or a copy of it. Ordered by address; no part of the heap. */
struct snapshot_piece {
    uintptr_t address;
    const unsigned char *bytes;
    size_t size_bytes;
    size_t map; /* index of the mapping */
};

/* A large mapping that is none of the heap's, and room for all of it here. */
struct snapshot_mirror {
    uintptr_t start;
    uintptr_t end;
    unsigned char *bytes;
};

struct snapshot_thread {
    pid_t thread_id;
    char name[32];
    struct user_regs_struct registers;
    uintptr_t program_counter;
    uintptr_t stack_pointer;
    uintptr_t thread_pointer; /* 0 if unknown */
    const unsigned char *sets[CORE_SETS_MAX];
    size_t set_bytes[CORE_SETS_MAX];
};

enum snapshot_holder { HELD_BY_EPOLL, HELD_BY_TIMER };

/* What only the kernel holds. */
struct snapshot_value {
    uint64_t value;
    enum snapshot_holder holder;
    int number; /* descriptor or timer */
};

enum {
    SNAPSHOT_NOTES_MAX = 16,
    SNAPSHOT_NOTED_BYTES = 512 << 20, /* from there up a person is told what is going on */
};

struct snapshot {
    struct target target;
    struct core_file core;
    struct heap_copy heap;
    struct target_maps maps;
    struct snapshot_piece *pieces;
    size_t piece_count;
    struct snapshot_thread *threads;
    size_t thread_count;
    struct snapshot_value *values;
    size_t value_count;
    uintptr_t guard; /* what setjmp() mangles with there */
    char *notes[SNAPSHOT_NOTES_MAX]; /* what could not be seen, and why: a line each */
    size_t note_count;
    uint64_t taken_ms;   /* since 1970 */
    uint64_t stopped_ns; /* how long a live process stood still */
    size_t copied_bytes;
    struct seized seized;
    struct snapshot_mirror *mirrors; /* by address: where copies of pieces lie that were made ahead */
    size_t mirror_count;
    unsigned char *room; /* where all others lie */
    size_t room_bytes;
};

/* Takes one of a live process or of a core file. Returns 0 or -errno for target_problem(); then there is nothing to free. */
int snapshot_take_live(pid_t process_id, struct snapshot *snapshot_out);
int snapshot_take_core(const char *path, struct snapshot *snapshot_out);
void snapshot_free(struct snapshot *snapshot);

/* Remembers a line of what could not be seen. */
void snapshot_note(struct snapshot *snapshot, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory of the target outside its heap, as it was at that moment. Returns 0 or -EFAULT. */
int snapshot_read(const struct snapshot *snapshot, uintptr_t address, void *bytes_out, size_t size_bytes);

#endif
