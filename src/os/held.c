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
#include <sys/ioctl.h>

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

enum held_kind { HELD_NOTHING, HELD_BY_EPOLL, HELD_BY_PIPE };

static enum held_kind kind_of(int folder, const char *name)
{
    static const char epoll[] = "anon_inode:[eventpoll]", pipe[] = "pipe:[";
    char target[sizeof epoll];
    long length = os_syscall(SYS_readlinkat, folder, (long)name, (long)target, sizeof target, 0, 0);
    if (length == sizeof epoll - 1 && memcmp(target, epoll, sizeof epoll - 1) == 0)
        return HELD_BY_EPOLL;
    return length > (long)sizeof pipe && memcmp(target, pipe, sizeof pipe - 1) == 0 ? HELD_BY_PIPE : HELD_NOTHING;
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

/* A pipe of our own, for copies; made when first needed. */
struct copier {
    int ends[2];
    bool is_open;
};

static int open_copier(struct copier *copier, long capacity_bytes)
{
    int result = 0;
    if (!copier->is_open)
        result = (int)os_syscall3(SYS_pipe2, (long)copier->ends, O_CLOEXEC | O_NONBLOCK, 0);
    copier->is_open |= result == 0;
    if (result == 0)
        os_syscall3(SYS_fcntl, copier->ends[1], F_SETPIPE_SZ, capacity_bytes);
    return result;
}

static void close_copier(const struct copier *copier)
{
    if (copier->is_open) {
        os_close(copier->ends[0]);
        os_close(copier->ends[1]);
    }
}

/* tee(2) copies from the start, without taking anything out. The writing end can't be read from: EBADF. */
static int copy_pipe(int number, struct copier *copier, os_held_bytes *bytes, void *context,
                     const struct os_held_room *room)
{
    int waiting = 0;
    if (os_syscall3(SYS_ioctl, number, FIONREAD, (long)&waiting) != 0 || waiting <= 0)
        return 0;
    int result = open_copier(copier, os_syscall3(SYS_fcntl, number, F_GETPIPE_SZ, 0));
    if (result != 0)
        return result;
    long count = os_syscall(SYS_tee, number, copier->ends[1], waiting, SPLICE_F_NONBLOCK, 0, 0);
    for (long left = count, first = 1; left > 0; first = 0) {
        size_t wanted = (size_t)left < room->copy_bytes ? (size_t)left : room->copy_bytes;
        long got = os_read(copier->ends[0], (char *)room->copy, wanted);
        if (got <= 0)
            return -EIO;
        bytes(room->copy, (size_t)got, first, context);
        left -= got;
    }
    return 0;
}

static int number_of(const char *name)
{
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (*name - '0');
    return number;
}

int os_held_by_files(os_held_value *value, os_held_bytes *bytes, void *context, const struct os_held_room *room)
{
    struct copier copier = {.is_open = false};
    int folder = os_open_read(folder_path);
    if (folder < 0)
        return folder;
    long count = 0;
    int result = 0;
    while (result == 0 &&
           (count = os_syscall3(SYS_getdents64, folder, (long)room->text, (long)room->text_bytes)) > 0)
        for (long at = 0; result == 0 && at < count;) {
            const struct directory_entry *entry = (const void *)(room->text + at);
            enum held_kind kind = kind_of(folder, entry->name);
            if (kind == HELD_BY_EPOLL)
                result = read_values(entry->name, value, context);
            else if (kind == HELD_BY_PIPE)
                result = copy_pipe(number_of(entry->name), &copier, bytes, context, room);
            at += entry->size_bytes;
        }
    close_copier(&copier);
    os_close(folder);
    return result == 0 && count < 0 ? (int)count : result;
}

/* "signal: 60/00007fff86e452a8" */
int os_held_by_timers(os_held_value *value, void *context, const struct os_held_room *room)
{
    struct os_reader reader = os_reader_open("/proc/self/timers", room->text, room->text_bytes);
    if (reader.descriptor < 0)
        return reader.descriptor == -ENOENT ? 0 : reader.descriptor;
    while (os_reader_skip_to(&reader, "signal: ") && os_reader_skip_to(&reader, "/"))
        value(os_reader_hex(&reader), context);
    os_reader_close(&reader);
    return reader.failed ? -EIO : 0;
}
