/*
 * bench/micro/memory: what a memory row reads of itself and prints. Nothing here allocates.
 */
#ifndef BENCH_MICRO_MEMORY_H
#define BENCH_MICRO_MEMORY_H

/* The KiB that /proc/self/status gives for `name`, colon included; ends the program if there is no such line. */
long memory_status_kib(const char *name);

/* Prints the row's figure; returns main's exit status. */
int memory_print(double figure);

#endif
