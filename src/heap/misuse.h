/*
 * heap/misuse: one clear report of what the program did wrong, then what on_error says.
 *
 * With on_error=abort these do not return. With on_error=report the caller ignores the bad call. caller is the
 * program's return address, or NULL when the deed was long ago. The caller holds no lock, since a handler of SIGABRT may
 * allocate; where one is held, the note is made instead.
 */
#ifndef HEAP_MISUSE_H
#define HEAP_MISUSE_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct unit;

void misuse_double_free(void *pointer, size_t size_bytes, void *caller);

/*
 * A double free that shows under a heap's lock, when freed slots are put back: it is noted now, without a lock, and
 * reported by the next misuse_report_noted().
 */
void misuse_note_double_free(void *pointer);

extern _Atomic unsigned misuse_noted; /* since the last report of what was noted */

void misuse_report_noted_now(void);

/* At the end of every operation that puts slots back. No lock is held. */
static inline void misuse_report_noted(void)
{
    if (UNLIKELY(atomic_load_explicit(&misuse_noted, memory_order_relaxed) != 0))
        misuse_report_noted_now();
}

/* A held block that differs from how it was left from offset_bytes on. on_error does not matter. */
void misuse_write_after_free(const void *block, size_t size_bytes, size_t offset_bytes, bool aborts);

/* The program has faulted at an address in a block that it has freed. Async-signal-safe, and goes on. */
void misuse_access_after_free(const void *address, const void *block, size_t size_bytes, void *caller);

/* The same of an address in a guard page (heap/guard.h) beside a block that is in use. */
void misuse_access_beside(const void *address, const void *block, size_t size_bytes, void *caller);

/* A guarded block that is freed now was written beyond, at `changed`. */
void misuse_write_beside(const void *block, size_t size_bytes, const void *changed, void *caller);

/* What can say of a block where it was allocated and freed, in lines of their own. */
struct text;

void misuse_register_history(void (*describe)(struct text *text, const void *block));

/* A pointer into the heap that starts no allocated block. */
void misuse_invalid_free(void *pointer, void *caller);

/* A pointer into a unit that holds no span now; it may have held one whose block was freed. */
void misuse_free_of_free_unit(void *pointer, const struct unit *unit, void *caller);

/* A pointer outside every heap. */
void misuse_foreign_free(void *pointer, void *caller);

void misuse_sized_free(void *pointer, size_t block_bytes, size_t size_bytes, void *caller);

/*
 * Misuse of what is built on the heap: a line of text, and the section of gcalloc(7) to see.
 */
void misuse_other(const char *section, void *caller, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * Ends a report that was made elsewhere: where the caller is, unless that is NULL, the section; writes it; and ends the program
 * if it is fatal.
 */
void misuse_finish(struct text *text, const char *what, void *caller, const char *section, bool is_fatal);

/* What can say more of an address in a chunk that is in use than "memory of an arena": its name. */
void misuse_register_chunks(void (*describe)(struct text *text, const void *address));

/* realloc() of anything but the start of an allocated block. */
void misuse_resize(void *pointer, void *caller);

#endif
