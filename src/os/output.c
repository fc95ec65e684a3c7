/*
 * os/output: bytes to a descriptor or a file.
 *
 * Locks: none.
 */
#include "os/output.h"

#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

int os_write_all(int descriptor, const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        long written = os_syscall3(SYS_write, descriptor, (long)bytes, (long)size_bytes);
        if (written == -EINTR)
            continue;
        if (written <= 0)
            return written == 0 ? -EIO : (int)written;
        bytes += written;
        size_bytes -= (size_t)written;
    }
    return 0;
}

static int open_file(const char *path, int flags)
{
    return (int)os_syscall(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0600, 0, 0);
}

int os_open_append(const char *path)
{
    return open_file(path, O_WRONLY | O_APPEND | O_CREAT);
}

int os_create(const char *path)
{
    return open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
}

int os_open_read(const char *path)
{
    return open_file(path, O_RDONLY);
}

int os_open_shared(const char *path)
{
    return open_file(path, O_RDWR | O_CREAT);
}

int os_try_lock_file(int descriptor)
{
    return (int)os_syscall3(SYS_flock, descriptor, LOCK_EX | LOCK_NB, 0);
}

long os_read_at(int descriptor, char *bytes_out, size_t size_bytes, uint64_t offset)
{
    long count;
    do
        count = os_syscall(SYS_pread64, descriptor, (long)bytes_out, (long)size_bytes, (long)offset,
                           0, 0);
    while (count == -EINTR);
    return count;
}

int os_write_at(int descriptor, const char *bytes, size_t size_bytes, uint64_t offset)
{
    while (size_bytes > 0) {
        long written =
            os_syscall(SYS_pwrite64, descriptor, (long)bytes, (long)size_bytes, (long)offset, 0, 0);
        if (written == -EINTR)
            continue;
        if (written <= 0)
            return written == 0 ? -EIO : (int)written;
        bytes += written;
        offset += (uint64_t)written;
        size_bytes -= (size_t)written;
    }
    return 0;
}

long os_read(int descriptor, char *bytes_out, size_t size_bytes)
{
    long count;
    do
        count = os_syscall3(SYS_read, descriptor, (long)bytes_out, (long)size_bytes);
    while (count == -EINTR);
    return count;
}

void os_close(int descriptor)
{
    os_syscall3(SYS_close, descriptor, 0, 0);
}

/* Linux 5.3 and 5.6. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

int os_borrow(int descriptor)
{
    long process_id = os_syscall3(SYS_getpid, 0, 0, 0);
    long process = os_syscall3(SYS_pidfd_open, process_id, 0, 0);
    if (process < 0)
        return (int)process;
    long borrowed = os_syscall3(SYS_pidfd_getfd, process, descriptor, 0);
    os_close((int)process);
    return (int)borrowed;
}

enum { OUT_OF_THE_WAY = 500 };

int os_duplicate(int descriptor)
{
    return (int)os_syscall3(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
}

struct os_file_identity os_identify(int descriptor)
{
    struct stat status;
    if (os_syscall3(SYS_fstat, descriptor, (long)&status, 0) != 0)
        return (struct os_file_identity){0};
    return (struct os_file_identity){
        .device = status.st_dev,
        .inode = status.st_ino,
        .is_pipe = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode),
    };
}

size_t os_file_bytes(int descriptor)
{
    struct stat status;
    if (os_syscall3(SYS_fstat, descriptor, (long)&status, 0) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size < 0)
        return 0;
    return (size_t)status.st_size;
}

const char *os_map_file(const char *path, size_t *size_bytes_out)
{
    int descriptor = os_open_read(path);
    if (descriptor < 0)
        return NULL;
    size_t size_bytes = os_file_bytes(descriptor);
    long result = -EINVAL;
    if (size_bytes != 0)
        result = os_syscall(SYS_mmap, 0, (long)size_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    os_close(descriptor);
    if (result < 0 && result > -4096)
        return NULL;
    *size_bytes_out = size_bytes;
    return (const char *)(uintptr_t)result;
}

void os_unmap_file(const char *bytes, size_t size_bytes)
{
    os_syscall3(SYS_munmap, (long)bytes, (long)size_bytes, 0);
}
