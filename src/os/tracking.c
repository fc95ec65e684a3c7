/*
 * os/tracking: which pages have been written since a moment.
 *
 * userfaultfd's write protection in its asynchronous form (Linux 6.7) with the PAGEMAP_SCAN call to read and renew it. A
 * page without protection counts as written, so whatever goes wrong errs on that side: a closed descriptor, a mapping made
 * anew or moved, pages dropped and filled again.
 *
 * Locks: none.
 */
#include "os/tracking.h"

#include "os/memory.h"
#include "os/output.h"
#include "os/pagemap.h"
#include "os/syscall.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stddef.h>
#include <string.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* Linux 6.4 and 6.7, for those who build with older headers. */
static const uint64_t feature_unpopulated = (uint64_t)1 << 13;
static const uint64_t feature_asynchronous = (uint64_t)1 << 15;

enum { REGION_COUNT = PAGEMAP_REGIONS_MAX };

struct descriptor {
    int number;
    struct os_file_identity identity; /* the program may close it and get another file by the same number */
};

static struct descriptor protection; /* userfaultfd */
static int owner_id; /* the process that it and the first looker belong to; 0: there are none */

/* Who looks: has a descriptor of its own, of /proc/PID/pagemap, and room for what the kernel answers. */
struct os_looker {
    struct descriptor page_map;
    struct pagemap_region regions[REGION_COUNT];
    struct pagemap_region inner_regions[REGION_COUNT];
};

static struct os_looker first;

static bool is_ours(const struct descriptor *descriptor)
{
    struct os_file_identity now = os_identify(descriptor->number);
    return now.device == descriptor->identity.device && now.inode == descriptor->identity.inode && now.inode != 0;
}

static void drop(struct descriptor *descriptor)
{
    if (is_ours(descriptor))
        os_close(descriptor->number);
}

void os_tracking_stop(void)
{
    if (owner_id == os_process_id()) {
        drop(&first.page_map);
        drop(&protection);
        owner_id = 0;
    }
}

void os_tracking_leave(uintptr_t start, uintptr_t end)
{
    enum { PIECE_BYTES = 4 * 1024 * 1024 };
    for (uintptr_t piece = start; piece < end && os_tracking_is_on(); piece += PIECE_BYTES) {
        struct uffdio_range range = {.start = piece, .len = end - piece < PIECE_BYTES ? end - piece : PIECE_BYTES};
        os_syscall3(SYS_ioctl, protection.number, (long)UFFDIO_UNREGISTER, (long)&range);
    }
}

void os_tracking_forget(void)
{
    if (owner_id != 0) {
        drop(&first.page_map);
        drop(&protection);
        owner_id = 0;
    }
}

void os_tracking_abandon(void)
{
    owner_id = 0;
}

bool os_tracking_is_on(void)
{
    return owner_id != 0 && owner_id == os_process_id() && is_ours(&protection) && is_ours(&first.page_map);
}

/* Out of the way of what programs count on, where their limit leaves room there. */
static struct descriptor keep(int number)
{
    int other = os_duplicate(number);
    if (other >= 0)
        os_close(number);
    else
        other = number;
    return (struct descriptor){other, os_identify(other)};
}

static int open_protection(void)
{
    long number = os_syscall3(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY, 0, 0);
    if (number < 0)
        return (int)number;
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | feature_unpopulated | feature_asynchronous,
    };
    long result = os_syscall3(SYS_ioctl, number, (long)UFFDIO_API, (long)&api);
    if (result == 0)
        protection = keep((int)number);
    else
        os_close((int)number);
    return (int)result;
}

static int open_both(void)
{
    int number = os_open_read("/proc/thread-self/pagemap");
    if (number < 0)
        return number;
    int result = open_protection();
    if (result != 0) {
        os_close(number);
        return result;
    }
    first.page_map = keep(number);
    owner_id = os_process_id();
    return 0;
}

/*
 * Again for each epoch: mappings that were made anew or moved meanwhile have lost it, and are unprotected. For all others it
 * changes nothing.
 */
static int enlist(uintptr_t start, uintptr_t end)
{
    struct uffdio_register range = {
        .range = {.start = start, .len = end - start},
        .mode = UFFDIO_REGISTER_MODE_WP,
    };
    return (int)os_syscall3(SYS_ioctl, protection.number, (long)UFFDIO_REGISTER, (long)&range);
}

/* How a range is looked through. */
struct look {
    int page_map;
    uint64_t flags;
    uint64_t any_of;              /* pages with none of these categories do not count; 0: all may */
    struct pagemap_region *room;
    os_tracking_visit *visit;
    void *context;
};

enum { HOLDS_SOMETHING = PAGEMAP_PRESENT | PAGEMAP_SWAPPED };

static int scan(uintptr_t start, uintptr_t end, const struct look *look)
{
    while (start < end) {
        struct pagemap_scan arguments = {
            .size = sizeof arguments,
            .flags = look->flags,
            .start = start,
            .end = end,
            .regions = (uintptr_t)look->room,
            .region_count = REGION_COUNT,
            .category_mask = PAGEMAP_WRITTEN,
            .category_anyof_mask = look->any_of,
            .return_mask = PAGEMAP_WRITTEN,
        };
        long count = os_syscall3(SYS_ioctl, look->page_map, (long)PAGEMAP_SCAN_CALL, (long)&arguments);
        if (count >= 0 && arguments.walk_end <= start)
            count = -EIO;
        if (count < 0) {
            look->visit(start, end, look->context);
            return (int)count;
        }
        for (long i = 0; i < count; i++) {
            struct pagemap_region region = look->room[i];
            look->room[i] = (struct pagemap_region){0}; /* it would look like an address to somebody */
            look->visit(region.start, region.end, look->context);
        }
        start = arguments.walk_end;
    }
    return 0;
}

int os_tracking_dirty(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    const struct look look = {.page_map = first.page_map.number,
                              .any_of = HOLDS_SOMETHING,
                              .room = first.regions,
                              .visit = visit,
                              .context = context};
    if (!os_tracking_is_on()) {
        visit(start, end, context);
        return -ENODEV;
    }
    return scan(start, end, &look);
}

/* Long stretches that count as written are mostly pages that hold nothing: they are looked at again. */
static void visit_again(uintptr_t start, uintptr_t end, void *context)
{
    const struct look *look = context;
    if (end - start > 16 * os_page_bytes())
        scan(start, end, look);
    else
        look->visit(start, end, look->context);
}

/* The kernel has a loop of its own for a request that asks for nothing else but written pages, three times as quick. */
static int look_quick(struct os_looker *looker, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    struct look again = {.page_map = looker->page_map.number,
                         .any_of = HOLDS_SOMETHING,
                         .room = looker->inner_regions,
                         .visit = visit,
                         .context = context};
    const struct look look = {
        .page_map = looker->page_map.number, .room = looker->regions, .visit = visit_again, .context = &again};
    return scan(start, end, &look);
}

int os_tracking_dirty_quick(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    if (!os_tracking_is_on()) {
        visit(start, end, context);
        return -ENODEV;
    }
    return look_quick(&first, start, end, visit, context);
}

/*
 * Written stretches with little between them are protected in one go: while other threads of the process run, or of ours, a request
 * that protects anything interrupts them, and costs as much as looking at a thousand pages or two.
 */
struct protecting {
    struct look look;
    uintptr_t start, end; /* still to be protected */
    int result;
};

enum { BETWEEN_PAGES = 512 };

/* A mapping that lost its registration after enlist() ends the scan, which then has visited all. */
static void protect_pending(struct protecting *protecting)
{
    if (protecting->start == protecting->end)
        return;
    int result = scan(protecting->start, protecting->end, &protecting->look);
    if (result != 0)
        protecting->result = result;
    protecting->start = protecting->end = 0;
}

static void protect_later(uintptr_t start, uintptr_t end, void *context)
{
    struct protecting *protecting = context;
    if (start - protecting->end > BETWEEN_PAGES * os_page_bytes())
        protect_pending(protecting);
    if (protecting->start == protecting->end)
        protecting->start = start;
    protecting->end = end;
}

/* Pages that hold nothing stay unprotected: they would need page tables, and what they read as points nowhere. */
static int begin_epoch(struct os_looker *looker, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    struct protecting protecting = {
        .look = {
            .page_map = looker->page_map.number,
            .flags = PAGEMAP_PROTECT_MATCHING | PAGEMAP_CHECK_TRACKED,
            .any_of = HOLDS_SOMETHING,
            .room = looker->inner_regions,
            .visit = visit,
            .context = context,
        },
    };
    const struct look quick = {
        .page_map = looker->page_map.number, .room = looker->regions, .visit = protect_later, .context = &protecting};
    int result = scan(start, end, &quick);
    protect_pending(&protecting);
    return result != 0 ? result : protecting.result;
}

int os_tracking_epoch(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    int result = os_tracking_is_on() ? enlist(start, end) : -ENODEV;
    if (result != 0) {
        visit(start, end, context);
        return result;
    }
    return begin_epoch(&first, start, end, visit, context);
}

/* ---- in pieces, by several ---- */

size_t os_looker_bytes(void)
{
    return sizeof(struct os_looker);
}

int os_looker_prepare(struct os_looker *looker)
{
    if (is_ours(&looker->page_map))
        return 0;
    int number = os_open_read("/proc/thread-self/pagemap");
    if (number < 0)
        return number;
    looker->page_map = (struct descriptor){number, os_identify(number)};
    return 0;
}

int os_tracking_enlist(uintptr_t start, uintptr_t end)
{
    return os_tracking_is_on() ? enlist(start, end) : -ENODEV;
}

void os_tracking_epoch_by(struct os_looker *looker, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    begin_epoch(looker == NULL ? &first : looker, start, end, visit, context);
}

void os_tracking_dirty_by(struct os_looker *looker, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context)
{
    look_quick(looker == NULL ? &first : looker, start, end, visit, context);
}

static void count_visit(uintptr_t start, uintptr_t end, void *context)
{
    (void)start;
    (void)end;
    ++*(int *)context;
}

static int visits(volatile char *page, bool epoch)
{
    int count = 0;
    uintptr_t start = (uintptr_t)page, end = start + os_page_bytes();
    int result = epoch ? os_tracking_epoch(start, end, count_visit, &count)
                       : os_tracking_dirty(start, end, count_visit, &count);
    return result == 0 ? count : -1;
}

/* Some systems say yes to everything. Before Linux 6.14 pages that are moved while they are protected are lost sight of. */
static bool works_on(volatile char *page, volatile char *other)
{
    page[0] = 1;
    if (visits(page, true) != 1 || visits(page, false) != 0)
        return false;
    page[1] = 1;
    if (visits(page, false) != 1 || visits(page, true) != 1 || visits(page, true) != 0)
        return false;
    int result = os_move_pages((void *)page, (void *)other, os_page_bytes());
    return result == -ENOMEM || (result == 0 && visits(other, false) == 1);
}

int os_tracking_start(void)
{
    if (os_tracking_is_on())
        return 0;
    os_tracking_forget();
    void *pages = NULL;
    int result = os_working_area(&pages, 0, 2 * os_page_bytes());
    if (result != 0)
        return result;
    result = open_both();
    if (result == 0 && !works_on(pages, (char *)pages + os_page_bytes())) {
        os_tracking_stop();
        result = -ENOSYS;
    }
    os_unreserve(pages, 2 * os_page_bytes());
    return result;
}
