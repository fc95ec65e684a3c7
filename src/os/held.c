/*
 * os/held: values that a program has given to the kernel.
 *
 * Locks: none.
 */
#include "os/held.h"

#include "os/output.h"
#include "os/reader.h"
#include "os/syscall.h"
#include "os/tasks.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* As getdents64(2) gives it; libc has no name for it. */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size_bytes;
    uint8_t type;
    char name[];
};

enum { FOLDER_BYTES = 32, INFO_BYTES = 64 };

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* Returns where the text ends. */
static char *append(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

/* Where the kernel lists the descriptors of a thread, 0 being the calling one. */
static void name_folder(char *path_out, int thread_id)
{
    char digits[12] = "";
    char *first = digits + sizeof digits - 1;
    for (int rest = thread_id; rest > 0; rest /= 10)
        *--first = (char)('0' + rest % 10);
    char *end = append(path_out, thread_id == 0 ? "/proc/thread-self" : "/proc/self/task/");
    append(append(end, first), "/fd");
}

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

static int read_values(const char *folder, const char *name, os_held_value *value, void *context)
{
    char path[INFO_BYTES], text[512];
    if (strlen(name) >= 16)
        return -EINVAL;
    append(append(append(path, folder), "info/"), name);
    struct os_reader reader = os_reader_open(path, text, sizeof text);
    if (reader.descriptor < 0)
        return reader.descriptor;
    while (os_reader_skip_to(&reader, "data:"))
        value(os_reader_hex(&reader), context);
    os_reader_close(&reader);
    return reader.failed ? -EIO : 0;
}

bool os_held_locks_pipe(int thread_id)
{
    struct os_call call;
    int result = os_task_call(thread_id, &call);
    if (result != 0)
        return result != -EAGAIN;
    return call.number == SYS_splice || call.number == SYS_tee || call.number == SYS_vmsplice ||
           call.number == SYS_sendfile || call.number == SYS_copy_file_range;
}

/* What one pass over the descriptors works with. */
struct pass {
    os_held_value *value;
    os_held_bytes *bytes;
    bool (*may_lock)(void);
    void *context;
    const struct os_held_room *room;
    char path[FOLDER_BYTES];
    int folder;
    int owner; /* a pidfd of the thread whose descriptors these are, when it is another with a table of its own; made when first needed */
    size_t writer_count; /* pipes that the process can write to, by inode number, in the room's list */
    bool lists_writers;
    int copy[2]; /* a pipe of our own, for copies; made when first needed */
    bool copy_is_open;
    size_t pipe_count;
};

static int number_of(const char *name)
{
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (*name - '0');
    return number;
}

/* A descriptor of this thread's for one in the folder; where the folder is another's, a copy. Or -errno. */
static int borrow(struct pass *pass, int number)
{
    int thread_id = pass->room->thread_id;
    if (thread_id == 0)
        return number;
    if (pass->owner < 0)
        pass->owner = (int)os_syscall3(SYS_pidfd_open, thread_id, PIDFD_THREAD, 0);
    if (pass->owner == -EINVAL)
        pass->owner = (int)os_syscall3(SYS_pidfd_open, os_process_id(), 0, 0);
    return pass->owner < 0 ? pass->owner : (int)os_syscall3(SYS_pidfd_getfd, pass->owner, number, 0);
}

static void give_back(const struct pass *pass, int number)
{
    if (pass->room->thread_id != 0)
        os_close(number);
}

static void note_writer(struct pass *pass, int number)
{
    uint64_t *writers = pass->room->list;
    long flags = os_syscall3(SYS_fcntl, number, F_GETFL, 0);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && pass->writer_count < pass->room->list_bytes / sizeof *writers)
        writers[pass->writer_count++] = os_identify(number).inode;
}

/*
 * Something waits in it, and it was perhaps written by this process: the others can't know our addresses, and may lock the
 * pipe for long. Nothing here takes that lock.
 */
static bool is_own_message(const struct pass *pass, int number)
{
    struct pollfd poll = {.fd = number, .events = POLLIN};
    struct timespec no_time = {0, 0};
    if (os_syscall(SYS_ppoll, (long)&poll, 1, (long)&no_time, 0, 0, 0) != 1 || !(poll.revents & POLLIN))
        return false;
    const uint64_t *writers = pass->room->list;
    uint64_t inode = os_identify(number).inode;
    bool is_own = poll.revents & POLLHUP || pass->writer_count == pass->room->list_bytes / sizeof *writers;
    for (size_t i = 0; i < pass->writer_count && !is_own; i++)
        is_own = writers[i] == inode;
    return is_own;
}

/* tee(2) copies from the start, without taking anything out. */
static int copy_pipe(struct pass *pass, int number)
{
    if (!pass->may_lock())
        return -EBUSY;
    int result = pass->copy_is_open ? 0 : (int)os_syscall3(SYS_pipe2, (long)pass->copy, O_CLOEXEC | O_NONBLOCK, 0);
    if (result != 0)
        return result;
    pass->copy_is_open = true;
    long capacity = os_syscall3(SYS_fcntl, number, F_GETPIPE_SZ, 0);
    os_syscall3(SYS_fcntl, pass->copy[1], F_SETPIPE_SZ, capacity);
    long count = os_syscall(SYS_tee, number, pass->copy[1], capacity, SPLICE_F_NONBLOCK, 0, 0);
    for (long left = count, first = 1; left > 0; first = 0) {
        size_t wanted = (size_t)left < pass->room->copy_bytes ? (size_t)left : pass->room->copy_bytes;
        long got = os_read(pass->copy[0], (char *)pass->room->copy, wanted);
        if (got <= 0)
            return -EIO;
        pass->bytes(pass->room->copy, (size_t)got, first, pass->context);
        left -= got;
    }
    return 0;
}

static int look_at_pipe(struct pass *pass, const char *name)
{
    int number = borrow(pass, number_of(name));
    if (number < 0)
        return number;
    int result = 0;
    if (pass->lists_writers)
        note_writer(pass, number);
    else if (is_own_message(pass, number))
        result = copy_pipe(pass, number);
    give_back(pass, number);
    return result;
}

/* Pipes twice: what waits in one counts if the process can write to it. */
static int look_at(struct pass *pass, const char *name)
{
    enum held_kind kind = kind_of(pass->folder, name);
    if (kind == HELD_BY_PIPE) {
        pass->pipe_count++;
        return look_at_pipe(pass, name);
    }
    return kind == HELD_BY_EPOLL && pass->lists_writers ? read_values(pass->path, name, pass->value, pass->context) : 0;
}

static int look_at_all(struct pass *pass)
{
    const struct os_held_room *room = pass->room;
    long count = os_syscall3(SYS_lseek, pass->folder, 0, SEEK_SET);
    int result = 0;
    while (result == 0 && count >= 0 &&
           (count = os_syscall3(SYS_getdents64, pass->folder, (long)room->text, (long)room->text_bytes)) > 0)
        for (long at = 0; result == 0 && at < count;) {
            const struct directory_entry *entry = (const void *)(room->text + at);
            result = look_at(pass, entry->name);
            at += entry->size_bytes;
        }
    return result == 0 && count < 0 ? (int)count : result;
}

int os_held_by_files(os_held_value *value, os_held_bytes *bytes, bool (*may_lock)(void), void *context,
                     const struct os_held_room *room)
{
    struct pass pass = {value, bytes, may_lock, context, room, .lists_writers = true, .owner = -1};
    name_folder(pass.path, room->thread_id);
    pass.folder = os_open_read(pass.path);
    if (pass.folder < 0)
        return pass.folder;
    int result = look_at_all(&pass);
    pass.lists_writers = false;
    if (result == 0 && pass.pipe_count != 0)
        result = look_at_all(&pass);
    if (pass.owner >= 0)
        os_close(pass.owner);
    if (pass.copy_is_open) {
        os_close(pass.copy[0]);
        os_close(pass.copy[1]);
    }
    os_close(pass.folder);
    return result;
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
