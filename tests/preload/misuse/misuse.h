/*
 * preload/misuse: one small program for each way to misuse malloc.
 *
 * The comment at the head of each says what must be reported, a line beginning with "expect:" for
 * each report, in which {name} stands for the address that the program named so. Without such a
 * line nothing may be reported. What follows "options:" is added to GCALLOC_OPTIONS. misuse.py runs
 * each program twice: with on_error=abort it must end by SIGABRT at its first report, with
 * on_error=report it must come to its end and survive().
 */
#ifndef TESTS_PRELOAD_MISUSE_MISUSE_H
#define TESTS_PRELOAD_MISUSE_MISUSE_H

#include "support/opaque.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tells misuse.py the address that {name} stands for. Allocates nothing. */
void name_address(const char *name, const void *address);

/*
 * The end of every program: the heap must be sound, and many blocks of about that size must be the
 * program's alone: a slot that a bad free left twice among the free ones would come out twice.
 * Returns the exit status.
 */
int survive(size_t size_bytes);

/* Runs the function in a thread of its own that has ended when this returns. */
void *in_a_thread(void *(*function)(void *), void *argument);

/* The plain way to be wrong, hidden from the compiler. */
static inline void free_hidden(const void *block)
{
    free(opaque(block));
}

#endif
