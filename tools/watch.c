/*
 * tools/watch: which pages another process writes from some moment on.
 */
#include "tools/watch.h"

#include "os/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* How long the process's mappings are held at a time. */
enum { PIECE_BYTES = 4 << 20 };

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* Linux 6.4 and 6.7, for those who build with older headers. */
static const uint64_t feature_unpopulated = (uint64_t)1 << 13;
static const uint64_t feature_asynchronous = (uint64_t)1 << 15;

bool watch_is_reliable(void)
{
    enum { MAJOR = 6, MINOR = 14 };
    struct utsname names;
    int major = 0, minor = 0;
    if (uname(&names) != 0 || sscanf(names.release, "%d.%d", &major, &minor) != 2)
        return false;
    return major > MAJOR || (major == MAJOR && minor >= MINOR);
}

long watch_call(void)
{
    return SYS_userfaultfd;
}

long watch_call_flags(void)
{
    return O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY;
}

/* The process may have files of its own that look the same, but none so new that it has not been asked yet. */
static int shake_hands(int protection)
{
    static const char kind[] = "anon_inode:[userfaultfd]";
    char path[32], name[sizeof kind];
    snprintf(path, sizeof path, "/proc/self/fd/%d", protection);
    if (readlink(path, name, sizeof name) != sizeof kind - 1 || memcmp(name, kind, sizeof kind - 1) != 0)
        return -EBADF;
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | feature_unpopulated | feature_asynchronous,
    };
    return ioctl(protection, UFFDIO_API, &api) == 0 ? 0 : -errno;
}

int watch_open(struct watch *watch, int protection, const struct target *target)
{
    char path[48];
    snprintf(path, sizeof path, "task/%d/pagemap", (int)target->thread_id);
    int result = shake_hands(protection);
    int page_map = result == 0 ? openat(target->folder, path, O_RDONLY | O_CLOEXEC) : -1;
    if (result == 0 && page_map < 0)
        result = -errno;
    if (result != 0) {
        close(protection);
        return result;
    }
    *watch = (struct watch){protection, page_map};
    return 0;
}

int watch_add(const struct watch *watch, uintptr_t start, uintptr_t end)
{
    struct uffdio_register range = {
        .range = {.start = start, .len = end - start},
        .mode = UFFDIO_REGISTER_MODE_WP,
    };
    return ioctl(watch->protection, UFFDIO_REGISTER, &range) == 0 ? 0 : -errno;
}

int watch_renew(const struct watch *watch, uintptr_t start, uintptr_t end, watch_visit *visit, void *context)
{
    static struct pagemap_region regions[PAGEMAP_REGIONS_MAX];
    int result = 0;
    while (start < end && result == 0) {
        uintptr_t piece_end = end - start > PIECE_BYTES ? start + PIECE_BYTES : end;
        struct pagemap_scan arguments = {
            .size = sizeof arguments,
            .flags = PAGEMAP_PROTECT_MATCHING,
            .start = start,
            .end = piece_end,
            .regions = (uintptr_t)regions,
            .region_count = PAGEMAP_REGIONS_MAX,
            .category_mask = PAGEMAP_WRITTEN,
            .category_anyof_mask = PAGEMAP_PRESENT | PAGEMAP_SWAPPED,
            .return_mask = PAGEMAP_WRITTEN,
        };
        int count = ioctl(watch->page_map, PAGEMAP_SCAN_CALL, &arguments);
        if (count < 0 || arguments.walk_end <= start)
            return count < 0 ? -errno : -EIO;
        for (int i = 0; i < count && result == 0; i++)
            result = visit(regions[i].start, regions[i].end, context);
        start = arguments.walk_end;
    }
    return result;
}

void watch_remove(const struct watch *watch, uintptr_t start, uintptr_t end)
{
    for (uintptr_t piece = start; piece < end; piece += PIECE_BYTES) {
        struct uffdio_range range = {.start = piece, .len = end - piece < PIECE_BYTES ? end - piece : PIECE_BYTES};
        ioctl(watch->protection, UFFDIO_UNREGISTER, &range);
    }
}

void watch_close(struct watch *watch)
{
    if (watch->protection >= 0)
        close(watch->protection);
    if (watch->page_map >= 0)
        close(watch->page_map);
    *watch = (struct watch){-1, -1};
}
