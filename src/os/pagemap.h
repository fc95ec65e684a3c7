/*
 * os/pagemap: the ioctl of /proc/PID/pagemap, since Linux 6.7, for those who build with older headers. Only src/os/
 * and tools/watch include this file.
 */
#ifndef OS_PAGEMAP_H
#define OS_PAGEMAP_H

#include <stdint.h>
#include <sys/ioctl.h>

enum {
    PAGEMAP_TRACKED = 1 << 0, /* its mapping is registered for tracking */
    PAGEMAP_WRITTEN = 1 << 1,
    PAGEMAP_FILE = 1 << 2,
    PAGEMAP_PRESENT = 1 << 3,
    PAGEMAP_SWAPPED = 1 << 4,
    PAGEMAP_ZERO = 1 << 5,
};

enum { PAGEMAP_PROTECT_MATCHING = 1 << 0, PAGEMAP_CHECK_TRACKED = 1 << 1 };

struct pagemap_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

struct pagemap_scan {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end; /* set by the kernel: how far it came */
    uint64_t regions;
    uint64_t region_count;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};

/* The kernel's own buffer. With room for more, walk_end may fall back (6.18) and regions come twice. */
enum { PAGEMAP_REGIONS_MAX = 512 };

#define PAGEMAP_SCAN_CALL _IOWR('f', 16, struct pagemap_scan)

#endif
