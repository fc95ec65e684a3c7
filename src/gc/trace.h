/*
 * gc/trace: with the option gc_trace, what collections do and when, in a file that chrome://tracing and Perfetto read.
 *
 * The file is complete JSON at every moment. Processes may share it.
 */
#ifndef GC_TRACE_H
#define GC_TRACE_H

#include <stdint.h>

/*
 * Something that went on from one moment to another, in the calling thread. The name lasts as long as the program, and needs no
 * escapes in JSON. Any thread of the collector's.
 */
void trace_phase(const char *name, uint64_t start_ns, uint64_t end_ns);

/* A figure as it is at a moment. */
void trace_count(const char *name, uint64_t moment_ns, uint64_t value);

/* Writes what has been noted. One thread at a time, while no other one notes anything. */
void trace_write(void);

#endif
