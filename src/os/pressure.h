/*
 * os/pressure: how short memory is, for the machine and for the container the process is in.
 *
 * Read from files of the kernel: pressure stall information (Linux 4.20), and the memory cgroup's use and limit, of
 * either version. What is not there, or may not be read, counts as plenty. Nothing here locks or allocates.
 */
#ifndef OS_PRESSURE_H
#define OS_PRESSURE_H

#include <stdint.h>

struct os_pressure {
    uint32_t some_percent; /* of the last ten seconds, in which some task waited for memory */
    uint32_t full_percent; /* in which all did */
    uint64_t used_bytes;   /* by the cgroup, without file pages that can go at once; 0: unknown */
    uint64_t limit_bytes;  /* UINT64_MAX: none */
};

/* `root` is "" but in tests: a folder that stands for /. */
void os_pressure_read(const char *root, struct os_pressure *pressure_out);

#endif
