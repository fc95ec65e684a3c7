/*
 * os/pages: which pages of a mapping hold something, without touching any of them.
 *
 * Locks: none.
 */
#include "os/pages.h"

#include "os/memory.h"
#include "os/output.h"
#include "os/pagemap.h"
#include "os/syscall.h"

#include <errno.h>
#include <sys/sysinfo.h>

enum { METHOD_SCAN, METHOD_TABLE, METHOD_RESIDENT };

/* How /proc/PID/pagemap says it, 64 bits a page. */
#define TABLE_PRESENT ((uint64_t)1 << 63)
#define TABLE_SWAPPED ((uint64_t)1 << 62)
#define TABLE_FILE ((uint64_t)1 << 61)
#define TABLE_GUARD ((uint64_t)1 << 58)

static long scan(int descriptor, struct pagemap_scan *arguments)
{
    arguments->size = sizeof *arguments;
    return os_syscall3(SYS_ioctl, descriptor, (long)PAGEMAP_SCAN_CALL, (long)arguments);
}

static bool scan_works(int descriptor, uintptr_t some_page)
{
    struct pagemap_region region;
    struct pagemap_scan arguments = {
        .start = some_page,
        .end = some_page + os_page_bytes(),
        .regions = (uintptr_t)&region,
        .region_count = 1,
        .category_anyof_mask = PAGEMAP_PRESENT | PAGEMAP_SWAPPED,
        .return_mask = PAGEMAP_PRESENT | PAGEMAP_SWAPPED,
    };
    return scan(descriptor, &arguments) >= 0;
}

bool os_pages_swap_in_use(void)
{
    struct sysinfo info;
    return os_syscall3(SYS_sysinfo, (long)&info, 0, 0) != 0 || info.totalswap != info.freeswap;
}

int os_pages_open_of(struct os_pages *pages, const char *path, void *buffer, size_t buffer_bytes)
{
    *pages = (struct os_pages){.buffer = buffer, .buffer_bytes = buffer_bytes};
    pages->descriptor = os_open_read(path);
    if (pages->descriptor < 0)
        return pages->descriptor;
    uintptr_t some_page = (uintptr_t)buffer & ~(os_page_bytes() - 1);
    pages->method = scan_works(pages->descriptor, some_page) ? METHOD_SCAN : METHOD_TABLE;
    return 0;
}

int os_pages_open(struct os_pages *pages, void *buffer, size_t buffer_bytes)
{
    if (os_pages_open_of(pages, "/proc/thread-self/pagemap", buffer, buffer_bytes) == 0)
        return 0;
    /* mincore() does not tell a page in swap from one that never was. */
    pages->method = METHOD_RESIDENT;
    return os_pages_swap_in_use() ? pages->descriptor : 0;
}

void os_pages_close(struct os_pages *pages)
{
    if (pages->descriptor >= 0)
        os_close(pages->descriptor);
}

/* What the buffer says of pages further up is kept for the mappings that lie there. */
void os_pages_begin(struct os_pages *pages, uintptr_t start, uintptr_t end, uintptr_t look_to)
{
    if (pages->method != METHOD_SCAN || start < pages->next || start >= pages->walked || pages->is_anonymous)
        pages->count = pages->index = pages->walked = 0;
    pages->is_anonymous = pages->only_doubtful = false;
    pages->next = start;
    pages->limit = end;
    pages->look_to = look_to > end ? look_to : end;
}

void os_pages_begin_anonymous(struct os_pages *pages, uintptr_t start, uintptr_t end)
{
    os_pages_begin(pages, start, end, end);
    pages->count = pages->index = pages->walked = 0;
    pages->is_anonymous = true;
}

void os_pages_begin_doubtful(struct os_pages *pages, uintptr_t start, uintptr_t end)
{
    os_pages_begin_anonymous(pages, start, end);
    pages->only_doubtful = true;
}

bool os_pages_is_tracked(const struct os_pages *pages, uintptr_t page)
{
    struct pagemap_region region;
    struct pagemap_scan arguments = {
        .start = page,
        .end = page + os_page_bytes(),
        .regions = (uintptr_t)&region,
        .region_count = 1,
        .category_mask = PAGEMAP_TRACKED,
        .return_mask = PAGEMAP_TRACKED,
    };
    return pages->method == METHOD_SCAN && scan(pages->descriptor, &arguments) == 1;
}

static uint32_t what_of(uint64_t categories)
{
    return (categories & PAGEMAP_PRESENT ? OS_PAGE_PRESENT : 0) |
           (categories & PAGEMAP_SWAPPED ? OS_PAGE_AWAY : 0) |
           (categories & PAGEMAP_FILE ? OS_PAGE_FILE : 0) |
           (categories & PAGEMAP_ZERO ? OS_PAGE_ZERO : 0) |
           (categories & PAGEMAP_WRITTEN ? OS_PAGE_WRITTEN : 0);
}

static int read_regions(struct os_pages *pages, uintptr_t from)
{
    size_t room = pages->buffer_bytes / sizeof(struct pagemap_region);
    struct pagemap_scan arguments = {
        .start = from,
        .end = pages->look_to,
        .regions = (uintptr_t)pages->buffer,
        .region_count = room < PAGEMAP_REGIONS_MAX ? room : PAGEMAP_REGIONS_MAX,
        .category_anyof_mask = PAGEMAP_PRESENT | PAGEMAP_SWAPPED,
        .return_mask = PAGEMAP_PRESENT | PAGEMAP_SWAPPED | PAGEMAP_ZERO | (pages->is_anonymous ? 0 : PAGEMAP_FILE) |
                       (pages->tells_written ? PAGEMAP_WRITTEN : 0),
    };
    if (pages->only_doubtful) { /* the kernel has a loop of its own for a request that asks for nothing else */
        arguments.category_anyof_mask = 0;
        arguments.category_mask = arguments.return_mask = PAGEMAP_WRITTEN;
    }
    long count = scan(pages->descriptor, &arguments);
    if (count < 0)
        return (int)count;
    pages->count = (size_t)count;
    pages->index = 0;
    pages->walked = arguments.walk_end;
    return arguments.walk_end > from ? 0 : -EIO;
}

/* Regions may reach over the borders of mappings, so the part within this one is taken. */
static int next_scanned(struct os_pages *pages, struct os_page_run *run_out)
{
    const struct pagemap_region *regions = pages->buffer;
    while (pages->next < pages->limit) {
        if (pages->index < pages->count && regions[pages->index].start >= pages->limit)
            return 0;
        if (pages->index < pages->count && regions[pages->index].end > pages->next) {
            const struct pagemap_region *region = &regions[pages->index];
            run_out->start = region->start > pages->next ? region->start : pages->next;
            run_out->end = region->end < pages->limit ? region->end : pages->limit;
            run_out->what = what_of(region->categories);
            pages->next = run_out->end;
            return 1;
        }
        if (pages->index < pages->count) {
            pages->index++;
            continue;
        }
        if (pages->walked >= pages->limit)
            return 0;
        int result = read_regions(pages, pages->walked > pages->next ? pages->walked : pages->next);
        if (result != 0)
            return result;
    }
    return 0;
}

static uint32_t what_of_entry(uint64_t entry)
{
    if (entry & TABLE_GUARD)
        return 0;
    return (entry & TABLE_PRESENT ? OS_PAGE_PRESENT : 0) | (entry & TABLE_SWAPPED ? OS_PAGE_AWAY : 0) |
           (entry & TABLE_FILE ? OS_PAGE_FILE : 0);
}

static int read_entries(struct os_pages *pages)
{
    size_t page_bytes = os_page_bytes();
    size_t wanted = (pages->limit - pages->next) / page_bytes;
    size_t room = pages->buffer_bytes / sizeof(uint64_t);
    wanted = wanted < room ? wanted : room;
    long count = os_syscall(SYS_pread64, pages->descriptor, (long)pages->buffer,
                            (long)(wanted * sizeof(uint64_t)),
                            (long)(pages->next / page_bytes * sizeof(uint64_t)), 0, 0);
    if (count < (long)sizeof(uint64_t))
        return count < 0 ? (int)count : -EIO;
    pages->count = (size_t)count / sizeof(uint64_t);
    pages->index = 0;
    return 0;
}

static int next_in_table(struct os_pages *pages, struct os_page_run *run_out)
{
    const uint64_t *entries = pages->buffer;
    size_t page_bytes = os_page_bytes();
    run_out->what = 0;
    while (pages->next < pages->limit) {
        if (pages->index == pages->count) {
            if (run_out->what != 0)
                return 1; /* the run is cut at the buffer's end */
            int result = read_entries(pages);
            if (result != 0)
                return result;
        }
        uint32_t what = what_of_entry(entries[pages->index]);
        if (run_out->what != 0 && what != run_out->what)
            return 1;
        if (what != 0 && run_out->what == 0)
            *run_out = (struct os_page_run){.start = pages->next, .what = what};
        pages->index++;
        pages->next += page_bytes;
        run_out->end = pages->next;
    }
    return run_out->what != 0;
}

int os_pages_next_resident(uintptr_t from, uintptr_t end, unsigned char *buffer, size_t buffer_bytes,
                           struct os_page_run *run_out)
{
    size_t page_bytes = os_page_bytes();
    while (from < end) {
        size_t pages = (end - from) / page_bytes;
        pages = pages < buffer_bytes ? pages : buffer_bytes;
        int result = (int)os_syscall3(SYS_mincore, (long)from, (long)(pages * page_bytes), (long)buffer);
        if (result != 0)
            return result;
        size_t first = 0;
        while (first < pages && !(buffer[first] & 1))
            first++;
        size_t last = first;
        while (last < pages && (buffer[last] & 1))
            last++;
        if (last > first) {
            *run_out = (struct os_page_run){from + first * page_bytes, from + last * page_bytes, OS_PAGE_AWAY};
            return 1;
        }
        from += pages * page_bytes;
    }
    return 0;
}

/* What mincore() calls resident may be a mark that can't be read: AWAY. */
int os_pages_next(struct os_pages *pages, struct os_page_run *run_out)
{
    if (pages->method == METHOD_SCAN)
        return next_scanned(pages, run_out);
    if (pages->method == METHOD_TABLE)
        return next_in_table(pages, run_out);
    int result =
        os_pages_next_resident(pages->next, pages->limit, pages->buffer, pages->buffer_bytes, run_out);
    if (result == 1)
        pages->next = run_out->end;
    return result;
}
