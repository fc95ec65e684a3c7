/* bench/shared_ptr: C++'s counted pointers, each work done `calls` times. */
#ifndef BENCH_SHARED_PTR_H
#define BENCH_SHARED_PTR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void shared_ptr_start(void);
void shared_ptr_copy(int calls); /* and release */
void shared_ptr_lock(int calls); /* and release */
void shared_ptr_make(int calls); /* and release */

#ifdef __cplusplus
}
#endif

#endif
