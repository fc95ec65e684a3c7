/*
 * gc/pacing: when the next cycle is due.
 */
#ifndef GC_PACING_H
#define GC_PACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when a heap that is about to take so many units more has grown enough since the last cycle. */
bool pacing_is_due(size_t unit_count);

/* True when one is due soon: one that runs beside the program, and takes its time, begins now. */
bool pacing_is_near(size_t unit_count);

/* True when one that runs beside the program takes so long that the heap would grow much beyond what it may. */
bool pacing_is_late(size_t unit_count);

/* Around a sweep: while cycles follow each other soon, what it frees is kept for what is allocated until the next. */
void pacing_begin_sweep(void);
void pacing_end_sweep(void);

/* A cycle has ended. */
void pacing_note_cycle(uint64_t live_bytes, uint64_t freed_bytes);

/*
 * The same after one of young blocks alone, in a stop. The heap may not grow further for that, but for a program that has kept all lately;
 * and when little is left of its growth, the next cycle is a full one: pacing_is_young() says so.
 */
void pacing_note_young(uint64_t survived_bytes, uint64_t freed_bytes);
bool pacing_is_young(void);

/* Memory is short in the whole machine or container: until that is over, cycles come sooner. */
void pacing_press(bool pressed);

/*
 * Memory has run out: is a cycle worth its time? Always, but for a program that goes on asking although the last cycles have
 * found next to nothing: then a fifth of its time goes to them. After each such cycle the second is called.
 */
bool pacing_is_exhausted(void);
void pacing_note_exhausted(uint64_t start_ns);

/* A cycle came to nothing: the next attempt waits until the heap has grown. */
void pacing_note_failure(void);

#endif
