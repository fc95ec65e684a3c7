/*
 * os/tasks: the threads of this process as the kernel lists them.
 *
 * Buffers are small, since a thread with a tiny stack may ask. Locks: none.
 */
#include "os/tasks.h"

#include "os/output.h"
#include "os/syscall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char tasks_path[] = "/proc/self/task/";

/* What getdents64(2) writes. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size_bytes;
    uint8_t type;
    char name[];
};

static int number_in(const char *digits)
{
    int number = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        number = number * 10 + (*digits - '0');
    return *digits == '\0' ? number : 0;
}

int os_tasks_each(bool (*visit)(int thread_id, void *context), void *context)
{
    _Alignas(struct entry) char bytes[1024];
    int folder = (int)os_syscall(SYS_openat, AT_FDCWD, (long)tasks_path,
                                 O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
    if (folder < 0)
        return folder;
    long count = 0;
    bool goes_on = true;
    while (goes_on && (count = os_syscall3(SYS_getdents64, folder, (long)bytes, sizeof bytes)) > 0)
        for (long at = 0; at < count && goes_on;) {
            const struct entry *entry = (const struct entry *)(bytes + at);
            int id = number_in(entry->name);
            at += entry->size_bytes;
            goes_on = id == 0 || visit(id, context);
        }
    os_close(folder);
    return count < 0 ? (int)count : 0;
}

long os_tasks_count(void)
{
    struct stat status;
    long result = os_syscall(SYS_newfstatat, AT_FDCWD, (long)tasks_path, (long)&status, 0, 0, 0);
    return result < 0 ? result
                      : (long)status.st_nlink - 2; /* ".", "..", and a link for each thread */
}

/* Reads the start of /proc/self/task/ID/NAME as a string. Returns its length or -errno. */
static long read_file(int thread_id, const char *name, char *text_out, size_t size_bytes)
{
    char path[64];
    char digits[12];
    size_t length = sizeof tasks_path - 1;
    size_t digit_count = 0;
    memcpy(path, tasks_path, length);
    for (int rest = thread_id; rest > 0; rest /= 10)
        digits[digit_count++] = (char)('0' + rest % 10);
    while (digit_count > 0)
        path[length++] = digits[--digit_count];
    path[length++] = '/';
    memcpy(path + length, name, strlen(name) + 1);

    int descriptor = os_open_read(path);
    if (descriptor < 0)
        return descriptor;
    size_t total = 0;
    long count;
    while (total < size_bytes - 1 &&
           (count = os_read(descriptor, text_out + total, size_bytes - 1 - total)) != 0) {
        if (count < 0) {
            os_close(descriptor);
            return count;
        }
        total += (size_t)count;
    }
    os_close(descriptor);
    text_out[total] = '\0';
    return (long)total;
}

/* Reads a number in base 10, or in base 16 with or without "0x", and steps behind it and the blank that follows. */
static uint64_t take_number(const char **text, unsigned base)
{
    uint64_t value = 0;
    const char *at = *text;
    if (base == 16 && at[0] == '0' && at[1] == 'x')
        at += 2;
    for (;; at++) {
        unsigned digit = 99;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            digit = (unsigned)(*at - 'a') + 10;
        if (digit >= base)
            break;
        value = value * base + digit;
    }
    *text = *at == ' ' || *at == '\t' ? at + 1 : at;
    return value;
}

int os_task_call(int thread_id, struct os_call *call_out)
{
    char text[256];
    long length = read_file(thread_id, "syscall", text, sizeof text);
    if (length < 0)
        return (int)length;
    const char *at = text;
    if (*at < '0' || *at > '9') /* "running", or "-1 sp pc" outside any call */
        return -EAGAIN;
    call_out->number = (long)take_number(&at, 10);
    for (int i = 0; i < 6; i++)
        call_out->arguments[i] = take_number(&at, 16);
    call_out->stack_pointer = take_number(&at, 16);
    call_out->program_counter = take_number(&at, 16);
    return 0;
}

/* PF_IO_WORKER and PF_USER_WORKER of the kernel's linux/sched.h. */
enum { WORKER_FLAGS = 0x10 | 0x4000 };

int os_task_look(int thread_id, struct os_task *task_out)
{
    enum { FIELDS_TO_FLAGS = 6 }; /* ppid pgrp session tty tpgid flags follow the state */
    char text[512];
    long length = read_file(thread_id, "stat", text, sizeof text);
    if (length < 0)
        return (int)length;
    const char *at = strrchr(text, ')'); /* the name may hold anything */
    if (at == NULL || at[1] == '\0')
        return -EIO;
    task_out->state = at[2];
    at += 4;
    uint64_t flags = 0;
    for (int i = 0; i < FIELDS_TO_FLAGS; i++) {
        at += *at == '-';
        flags = take_number(&at, 10);
    }
    task_out->is_kernel = (flags & WORKER_FLAGS) != 0;
    return 0;
}

int os_task_held_signals(int thread_id, uint64_t *mask_out)
{
    static const char *const keys[] = {"\nSigPnd:\t", "\nSigBlk:\t"};
    char text[2048];
    uint64_t mask = UINT64_MAX;
    long length = read_file(thread_id, "status", text, sizeof text);
    if (length < 0)
        return (int)length;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *at = strstr(text, keys[i]);
        if (at == NULL)
            return -EIO;
        at += strlen(keys[i]);
        mask &= take_number(&at, 16);
    }
    *mask_out = mask;
    return 0;
}
