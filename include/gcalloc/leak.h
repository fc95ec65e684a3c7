/*
 * gcalloc/leak.h: what a program that runs on gcalloc with the option leaks has lost: blocks that nothing leads to any more.
 *
 * Every function here may be called from any thread at any time after the program's first malloc, except from signal
 * handlers. Without the option leaks they return -EOPNOTSUPP or do nothing. A check stops all other threads while it looks.
 */
#ifndef GCALLOC_LEAK_H
#define GCALLOC_LEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gca_leak_counts {
    size_t blocks;
    size_t bytes; /* that the program asked for */
} gca_leak_counts;

/* What a check has found: how many blocks of each class there are. gcalloc-report(5) says what the classes mean. */
typedef struct gca_leak_summary {
    gca_leak_counts definite;   /* lost; of blocks that hold each other, one */
    gca_leak_counts indirect;   /* lost, held by another lost block */
    gca_leak_counts possible;   /* held by addresses inside of them only */
    gca_leak_counts kernel;     /* held by what the kernel was given, or pinned */
    gca_leak_counts reachable;  /* held by the program */
    gca_leak_counts suppressed; /* lost, and not to be reported */
} gca_leak_summary;

/*
 * Looks for leaks now. What the caller's variables and registers hold is not lost, so it should be called outside of the
 * function that is to be judged. Returns 0; -EOPNOTSUPP; -EAGAIN when some thread could not be stopped; -EDEADLK in a signal
 * handler that has interrupted a check; or -ENOMEM.
 */
int gca_leak_check(gca_leak_summary *summary_out);

/*
 * The same, and writes a report to the descriptor, as JSON (gcalloc-report(5)) or as text. Suppressions count. summary_out
 * may be NULL. Returns as gca_leak_check(), or what the kernel said of the descriptor.
 */
int gca_leak_report(int descriptor, bool as_json, gca_leak_summary *summary_out);

/*
 * The block that the address lies in, and what only it leads to, is never reported. Returns 0, or -EINVAL when no block is
 * there, or -ENOMEM.
 */
int gca_leak_ignore(const void *address);

/* Blocks that the calling thread allocates between the two are not reported, nor what only they lead to. They nest. */
void gca_leak_ignore_begin(void);
void gca_leak_ignore_end(void);

/* A stretch of time in which a program should lose nothing, as one test of many. What is in it is for gcalloc alone. */
typedef struct gca_leak_scope {
    uint64_t serial;
} gca_leak_scope;

/*
 * Begins a scope: a check at its end counts only blocks that were allocated since, by whichever thread. Scopes may nest and
 * overlap. Returns 0; -EOPNOTSUPP, also with the option gc; or as gca_leak_check().
 */
int gca_leak_scope_begin(gca_leak_scope *scope_out);

/*
 * Looks for leaks among the blocks allocated since the scope began; may be called several times, and the scope needs no
 * other end. summary_out->reachable counts what was allocated since and is still held. If `descriptor` is not negative and
 * something is lost, writes a report to it, as text. Returns 0; -EOVERFLOW when more than 29 scopes have begun since; or as
 * gca_leak_check().
 */
int gca_leak_scope_check(const gca_leak_scope *scope, int descriptor, gca_leak_summary *summary_out);

#ifdef __cplusplus
}
#endif

#endif
