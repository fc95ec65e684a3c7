/*
 * os/held: values that a program has given to the kernel.
 *
 * Locks: none.
 */
#include "os/held.h"

#include "os/output.h"
#include "os/reader.h"
#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* As getdents64(2) gives it; libc has no name for it. */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size_bytes;
    uint8_t type;
    char name[];
};

static const char folder_path[] = "/proc/thread-self/fd";
static const char info_prefix[] = "/proc/thread-self/fdinfo/";

static bool is_epoll(int folder, const char *name)
{
    static const char wanted[] = "anon_inode:[eventpoll]";
    char target[sizeof wanted];
    long length = os_syscall(SYS_readlinkat, folder, (long)name, (long)target, sizeof target, 0, 0);
    return length == sizeof wanted - 1 && memcmp(target, wanted, sizeof wanted - 1) == 0;
}

static int read_values(const char *name, os_held_value *value, void *context)
{
    char path[sizeof info_prefix + 16], text[512];
    if (strlen(name) >= 16)
        return -EINVAL;
    memcpy(path, info_prefix, sizeof info_prefix);
    memcpy(path + sizeof info_prefix - 1, name, strlen(name) + 1);
    struct os_reader reader = os_reader_open(path, text, sizeof text);
    if (reader.descriptor < 0)
        return reader.descriptor;
    while (os_reader_skip_to(&reader, "data:"))
        value(os_reader_hex(&reader), context);
    os_reader_close(&reader);
    return reader.failed ? -EIO : 0;
}

int os_held_by_epoll(os_held_value *value, void *context, char *text, size_t text_bytes)
{
    int folder = os_open_read(folder_path);
    if (folder < 0)
        return folder;
    long count;
    int result = 0;
    while (result == 0 && (count = os_syscall3(SYS_getdents64, folder, (long)text, (long)text_bytes)) > 0)
        for (long at = 0; result == 0 && at < count;) {
            const struct directory_entry *entry = (const void *)(text + at);
            if (is_epoll(folder, entry->name))
                result = read_values(entry->name, value, context);
            at += entry->size_bytes;
        }
    os_close(folder);
    return result == 0 && count < 0 ? (int)count : result;
}

/* "signal: 60/00007fff86e452a8" */
int os_held_by_timers(os_held_value *value, void *context, char *text, size_t text_bytes)
{
    struct os_reader reader = os_reader_open("/proc/self/timers", text, text_bytes);
    if (reader.descriptor < 0)
        return reader.descriptor == -ENOENT ? 0 : reader.descriptor;
    while (os_reader_skip_to(&reader, "signal: ") && os_reader_skip_to(&reader, "/"))
        value(os_reader_hex(&reader), context);
    os_reader_close(&reader);
    return reader.failed ? -EIO : 0;
}
