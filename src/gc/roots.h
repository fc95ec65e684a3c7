/*
 * gc/roots: where a program may keep pointers to its blocks, other than in its blocks.
 *
 * Everything the process can read and we do not own is scanned: data of all objects, thread-local storage, stacks from
 * the stack pointer up, brk, every other private or shared mapping, readable now or not; and what only the kernel
 * holds. Pages that were never touched are not touched, files that end before their mapping raise no signal, and devices
 * are left alone. Not seen: pointers in files that are not mapped or not in memory, queued signals, messages, requests
 * to io_uring and aio that libraries have made and that left their rings (pin those blocks), and stacks that a thread made by hand inside its own stack
 * (roots_keep_whole_stacks()).
 *
 * A scan takes no lock and allocates nothing from the heap; all other threads are stopped.
 */
#ifndef GC_ROOTS_H
#define GC_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Called for every range of readable memory that may hold pointers, at addresses that are multiples of step_bytes (8, 4
 * or 1). The memory may be a copy and is good during the call only. Ranges may overlap. May map and unmap memory as
 * long as that is hidden (roots_hide).
 */
typedef void roots_range(const void *start, const void *end, unsigned step_bytes, void *context);

/* Feeds all roots to `range`, between stop_begin() and stop_end(). As below. */
int roots_scan(roots_range *range, void *context);

/*
 * For a tool that runs the marker on a copy of another process's heap: from now on roots_scan() calls this instead of
 * looking at the tool itself. NULL takes it back.
 */
typedef int roots_source(roots_range *range, void *context);
void roots_use_source(roots_source *source);

/*
 * Feeds all roots to `range`. The threads are all there are, the caller included. What lies below a stack pointer is dead
 * as long as it lies in the thread's normal stack; the main thread's bounds are not looked at, its stack is the mapping that
 * the kernel names so. Returns 0, or -errno: something could not be read and nothing may be reclaimed.
 */
struct stopped;
int roots_scan_stacks(const struct stopped *threads, size_t count, roots_range *range, void *context);

/* In a `range` that roots_scan_stacks() calls: what it is given only the kernel holds, or the program has pinned it. */
bool roots_are_kernels(void);

/*
 * Memory of the collector's own, which holds addresses of blocks but is no root. Until unhidden. Returns 0 or -ENOMEM.
 * Neither is called during a scan but from its `range`; threads that call them do so one at a time.
 */
int roots_hide(const void *start, size_t size_bytes);
void roots_unhide(const void *start);

/*
 * The parts of the heap that the program has made unreadable, by address; good until the next scan, and before its first
 * `range` already. Blocks there must not be read; what they hold is fed as roots.
 */
struct roots_part {
    uintptr_t start;
    uintptr_t end;
};

const struct roots_part *roots_unreadable(size_t *count_out);

/*
 * What roots_scan() has seen, as far as libraries are known for it; a tool that scans another process's roots says it itself, in
 * bits of enum os_map_habit. Whether words in blocks may be distances from the start of their block to that of another, which
 * the option `distances` may say, too; and whether there are pointers nobody could find, so that nothing must be freed.
 */
bool roots_hold_distances(void);
bool roots_are_hidden(void);
void roots_set_habits(uint8_t habits);

/* From now on all of every stack counts, whatever its stack pointer. For programs that make stacks within stacks. */
void roots_keep_whole_stacks(void);

/* The caller has made itself a stack: if that lies within the stack it is on, all of every stack counts from now on. */
void roots_stack_made(const void *start);

/*
 * setjmp() and its kin store some registers mangled: for words found in blocks of jmp_buf's size. Returns the word
 * itself where nothing is mangled in such a way that a pointer could be lost.
 */
uintptr_t roots_unmangle(uintptr_t word);

/*
 * The program's own additions. roots_add(): memory that is not found otherwise, scanned at each cycle; it must stay
 * readable until removed. roots_pin(): a block, or rather an address, that counts as held; pins count. They return 0,
 * -ENOMEM, or -ENOENT for what was never added or pinned. Thread-safe.
 */
int roots_add(const void *start, size_t size_bytes);
int roots_remove(const void *start);
int roots_pin(const void *block);
int roots_unpin(const void *block);

/* The same for a block that has an owner, besides: once, however often the program pins it. */
int roots_pin_owned(const void *block);
void roots_unpin_owned(const void *block);

/* Whoever stops threads or forks holds these tables' lock, outside of all heap locks; a child resets it. */
void roots_lock(void);
void roots_unlock(void);
void roots_lock_reset(void);

#endif
