/*
 * unit/threads: runs a function in several threads at once, or one step at a time in a thread that stays.
 */
#ifndef TESTS_UNIT_THREADS_H
#define TESTS_UNIT_THREADS_H

typedef void thread_work(int index, void *context);

/* Runs work(0 .. count - 1, context) in threads that start together; returns when all have ended. */
void threads_run(int count, thread_work *work, void *context);

/* Runs one step in a thread of its own, to its end. */
void threads_run_one(thread_work *work, void *context);

/* A thread that lives on between steps, with the heap it has. */
struct helper;

struct helper *helper_start(void);
void helper_do(struct helper *helper, thread_work *work, void *context);
void helper_end(struct helper *helper);

#endif
