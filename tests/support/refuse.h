/*
 * support/refuse: the kernel refuses a call from now on, as in a container, under a sandbox or on an older kernel.
 */
#ifndef TESTS_SUPPORT_REFUSE_H
#define TESTS_SUPPORT_REFUSE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The calling thread's calls with this number fail with `error`, and those of its children and of programs it becomes. False where filters
 * are not to be had.
 */
bool refuse_call(int number, int error);

/* The same for those calls only of which an argument, by its low 32 bits, is `value` in the bits of `mask`. */
bool refuse_call_with(int number, unsigned argument, uint32_t mask, uint32_t value, int error);

#endif
