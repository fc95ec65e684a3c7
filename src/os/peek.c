/*
 * os/peek: reads this process's own memory where a plain load could raise a signal.
 *
 * process_vm_readv() obeys the mapping's protection, needs no descriptor and is open to processes that gave up their
 * rights; a seccomp filter may forbid it. /proc/PID/mem reads all there is.
 */
#include "os/peek.h"

#include "os/memory.h"
#include "os/output.h"
#include "os/syscall.h"
#include "os/thread.h"

#include <errno.h>
#include <sys/uio.h>

void os_peek_close(struct os_peek *peek)
{
    if (peek->descriptor > 0)
        os_close(peek->descriptor);
    peek->descriptor = 0;
}

static long read_memory_file(struct os_peek *peek, uintptr_t address, void *bytes_out, size_t size_bytes)
{
    if (peek->descriptor <= 0)
        peek->descriptor = os_open_read("/proc/thread-self/mem");
    if (peek->descriptor < 0)
        return peek->descriptor;
    return os_syscall(SYS_pread64, peek->descriptor, (long)bytes_out, (long)size_bytes, (long)address, 0, 0);
}

/* By the thread's own id: a process whose first thread has ended is not found by its number. */
static long read_plainly(uintptr_t address, void *bytes_out, size_t size_bytes)
{
    struct iovec here = {bytes_out, size_bytes};
    struct iovec there = {(void *)address, size_bytes};
    return os_syscall(SYS_process_vm_readv, os_thread_id(), (long)&here, 1, (long)&there, 1, 0);
}

long os_peek(struct os_peek *peek, uintptr_t address, void *bytes_out, size_t size_bytes, bool forced)
{
    if (!forced) {
        long count = read_plainly(address, bytes_out, size_bytes);
        if (count > 0 || count == -EFAULT)
            return count > 0 ? count : 0;
    }
    long count = read_memory_file(peek, address, bytes_out, size_bytes);
    return count == -EIO ? 0 : count;
}

/* A byte of each page, a few pages at a time: a caller may have little stack. */
bool os_is_readable(uintptr_t start, uintptr_t end)
{
    enum { PAGES_AT_ONCE = 16 };
    uintptr_t page_bytes = os_page_bytes();
    start -= start % page_bytes;
    while (start < end) {
        struct iovec there[PAGES_AT_ONCE];
        char bytes[PAGES_AT_ONCE];
        long count = 0;
        for (; count < PAGES_AT_ONCE && start < end; start += page_bytes)
            there[count++] = (struct iovec){(void *)start, 1};
        struct iovec here = {bytes, (size_t)count};
        if (os_syscall(SYS_process_vm_readv, os_thread_id(), (long)&here, 1, (long)there, count, 0) != count)
            return false;
    }
    return true;
}
