/*
 * leak/tables: what the records of blocks refer to: stacks, modules and threads, as they lie in the image.
 *
 * Plain data, for tools as well: image->leak points here, and every pointer leads into the image's metadata. What has
 * been handed out (a stack's id, a module's or a thread's number) stays as it is for ever; everything is only added,
 * without locks, so that a signal or a fork in the middle of an addition leaves nothing behind but unused room.
 */
#ifndef LEAK_TABLES_H
#define LEAK_TABLES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAMES_MAX = 128,
    STACK_CHUNK_WORDS = 8192, /* 64 KiB */
    STACK_CHUNK_COUNT = 4096, /* together 256 MiB of stacks: what is behind has id 0 */
    MODULE_COUNT_MAX = 2048,
    MODULE_PATH_BYTES = 192,
    MODULE_BUILD_ID_BYTES = 20,
    THREAD_COUNT_MAX = 65535,
    FRAME_MODULE_SHIFT = 48,
};

/*
 * A distinct call stack, as it lies in the image. Its id is the number of the word it starts at, in chunks laid end to end; none
 * crosses from one chunk to the next. Only the frames that it does not share with one that was there before are its own: the rest
 * are those of the stack `outer` from the frame `outer_skip` on, which is one of that stack's own. So what recursion makes
 * takes a few words each. With stack_table.has_lives a word follows the frames, the stack's number in leak/lives.h or 0.
 *
 * A frame is an address inside the call, innermost first, and in the upper 16 bits the number of the module it lies in, 0 if in
 * none: the same address means something else once another module has taken its place.
 */
struct stack_entry {
    uint32_t next; /* id of another one with the same remainder, or 0 */
    uint32_t hash;
    uint32_t outer;      /* 0: all frames are its own */
    uint8_t frame_count; /* with those of others; 0 while it is written */
    uint8_t own_count;   /* at least one */
    uint8_t outer_skip;
    uint8_t has_life;
    uint64_t frames[];
};

/* The same, put together. */
struct stack {
    uint32_t frame_count;
    uint64_t frames[FRAMES_MAX];
};

/* The heads of the lists, by hash. Replaced by a larger one as it fills; the old one stays, since others may be reading it. */
struct stack_heads {
    uint32_t mask;
    uint32_t unused;
    _Atomic uint32_t heads[];
};

struct stack_table {
    uint64_t *_Atomic chunks[STACK_CHUNK_COUNT];
    struct stack_heads *_Atomic heads;
    struct stack_heads *_Atomic previous; /* while stacks are moved over from there; else NULL */
    _Atomic uint32_t used_words;          /* the first ones are never used: no stack has id 0 */
    _Atomic uint32_t count;
    _Atomic uint32_t growing; /* 1 plus the image's fork_count while a thread makes larger heads */
    _Atomic uint64_t lost;    /* captures that found no room */
    bool has_lives;           /* set before there are any */
};

/* An object as it was loaded once. Loaded again elsewhere or with other contents, it is another module. */
struct module {
    uintptr_t start;
    uintptr_t end;
    uintptr_t base; /* subtracted from an address, it gives the address in the file */
    uintptr_t unwind_header;
    _Atomic uint32_t state; /* enum module_state */
    uint32_t loaded_ms;     /* when it was first seen, on the clock of records */
    uint32_t unloaded_ms;
    uint32_t build_id_bytes;
    uint8_t build_id[MODULE_BUILD_ID_BYTES];
    char path[MODULE_PATH_BYTES]; /* its last bytes, when it is longer */
};

/* A block that the program wants left out of reports has this bit set beside its stack's id. */
#define RECORD_IGNORED (UINT32_C(1) << 31)

/* With the option lifetimes: the block has been freed, and counted as such. */
#define RECORD_ENDED (UINT32_C(1) << 30)

enum module_state { MODULE_EMPTY, MODULE_LOADED, MODULE_UNLOADED };

struct module_table {
    _Atomic uint32_t count; /* numbers below it are or will be in use; 0 is none */
    struct module modules[MODULE_COUNT_MAX];
};

enum { THREAD_NAME_BYTES = 16 };

struct thread_entry {
    int32_t thread_id;
    uint32_t first_ms; /* when its first block was recorded */
    uint32_t ended_ms; /* 0 while it lives */
    uint32_t forks;    /* of the process it is in: image->fork_count */
    char name[THREAD_NAME_BYTES]; /* what it was called when it ended; empty before, since that is asked of the kernel */
};

struct thread_table {
    _Atomic uint32_t count;
    struct thread_entry threads[THREAD_COUNT_MAX]; /* from 1 on; 0 is unknown */
};

struct leak_tables {
    uint32_t tables_bytes; /* of this structure: a tool of another build notices */
    uint32_t frames_max;
    uint64_t sample_bytes; /* see leak/sample.h; 0: every block has a record */
    uint64_t start_ns;     /* of the clock of records */
    struct stack_table *stacks;
    struct module_table *modules;
    struct thread_table *threads;
    struct healed_table *healed; /* leak/healed.h; NULL until something was reclaimed */
    struct life_table *lives;    /* leak/lives.h; NULL without the option lifetimes */
};

/*
 * What is known of a block, by slot, in the span's COLUMN_STACK. All zero: nothing, it was there before records were
 * kept. `unused_bytes` is what the program did not ask for of the slot; UINT16_MAX if that is more.
 */
struct block_record {
    uint32_t stack; /* record_stack() */
    uint32_t time_ms;
    uint16_t thread;
    uint16_t unused_bytes;
};

_Static_assert(sizeof(struct block_record) == 12, "memory for every block");

static inline uint32_t record_stack(const struct block_record *record)
{
    return record->stack & ~(RECORD_IGNORED | RECORD_ENDED);
}

static inline bool record_is_ignored(const struct block_record *record)
{
    return (record->stack & RECORD_IGNORED) != 0;
}

/* What the program asked for, as far as it is known; the block lies in a slot of this size. */
static inline size_t record_asked_bytes(const struct block_record *record, size_t slot_bytes)
{
    bool is_known = record->unused_bytes != UINT16_MAX && record->unused_bytes < slot_bytes;
    return is_known ? slot_bytes - record->unused_bytes : slot_bytes;
}

static inline bool record_is_set(const struct block_record *record)
{
    return record->stack != 0 || record->time_ms != 0 || record->thread != 0;
}

#endif
