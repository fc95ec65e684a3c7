/*
 * os/pages: which pages of a mapping hold something, without touching any of them.
 *
 * What was reserved and never written must cost nothing and stay untouched, and reading a page that is not there could
 * raise a signal. Three ways, in the order of what they cost and tell: the PAGEMAP_SCAN call (Linux 6.7),
 * /proc/PID/pagemap (which a process that gave up its rights can't open), mincore(2).
 *
 * Nothing here locks or allocates.
 */
#ifndef OS_PAGES_H
#define OS_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OS_PAGE_PRESENT = 1, /* in the page tables: reading it directly is safe where the mapping is readable */
    OS_PAGE_AWAY = 2,    /* swapped out, or a mark of the kernel's: may be zero, may not be readable at all */
    OS_PAGE_FILE = 4,    /* the file's own page, which the process has not written through a private mapping */
    OS_PAGE_ZERO = 8,    /* the kernel's page of zeros */
    OS_PAGE_WRITTEN = 16 /* since the range was last protected, where writes are tracked (os/tracking, tools/watch) */
};

struct os_page_run {
    uintptr_t start;
    uintptr_t end;
    uint32_t what;
};

struct os_pages {
    int descriptor;
    int method;
    uintptr_t next;      /* asked for from here */
    uintptr_t limit;     /* up to here */
    uintptr_t look_to;   /* what is read in one go may reach to here */
    uintptr_t walked;    /* the buffer says everything up to here */
    void *buffer;
    size_t buffer_bytes;
    size_t count;        /* of what the buffer holds */
    size_t index;
    bool is_anonymous;
    bool tells_written; /* set by who wants to know it of pages where writes are tracked; all others count as written */
    bool only_doubtful;
};

/*
 * The buffer is room for a piece of the answer; 4 KiB at least, aligned to 8. Returns 0, or -errno where nothing
 * reliable is to be had.
 */
int os_pages_open(struct os_pages *pages, void *buffer, size_t buffer_bytes);
/* The same for another process, by the path of its pagemap. */
int os_pages_open_of(struct os_pages *pages, const char *path, void *buffer, size_t buffer_bytes);
void os_pages_close(struct os_pages *pages);

/* The next runs are to be those of [start, end), one mapping. More mappings, up to look_to, will be asked for in order. */
void os_pages_begin(struct os_pages *pages, uintptr_t start, uintptr_t end, uintptr_t look_to);

/* The same for memory that is no file's, in a third of the time: the kernel need not look at the page itself. */
void os_pages_begin_anonymous(struct os_pages *pages, uintptr_t start, uintptr_t end);

/*
 * Where writes are tracked, and only there: the next runs are those that were written or hold nothing, in a tenth of the
 * time that asking what they hold takes.
 */
void os_pages_begin_doubtful(struct os_pages *pages, uintptr_t start, uintptr_t end);

/* Writes to this page are tracked, whatever it holds. */
bool os_pages_is_tracked(const struct os_pages *pages, uintptr_t page);

/* The next run of pages that are PRESENT or AWAY. Returns 1, 0 after the last one, or -errno. */
int os_pages_next(struct os_pages *pages, struct os_page_run *run_out);

/*
 * For shared memory, where pages may hold data that are in nobody's page table: the next run of pages at or after
 * `from` that are in memory at all. Returns 1, 0 or -errno. buffer is room for the answer.
 */
int os_pages_next_resident(uintptr_t from, uintptr_t end, unsigned char *buffer, size_t buffer_bytes,
                           struct os_page_run *run_out);

/* True while the machine has pages in swap: then shared memory may hold more than os_pages_next_resident() finds. */
bool os_pages_swap_in_use(void);

#endif
