/*
 * os/process: what the kernel knows of this process and its program.
 *
 * Locks: none.
 */
#include "os/process.h"

#include "os/output.h"
#include "os/syscall.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

int os_parent_id(void)
{
    return (int)os_syscall3(SYS_getppid, 0, 0, 0);
}

void os_program_file(char *path_out, size_t size_bytes)
{
    static const char link[] = "/proc/self/exe";
    long count = os_syscall(SYS_readlinkat, AT_FDCWD, (long)link, (long)path_out, (long)size_bytes - 1, 0, 0);
    path_out[count > 0 ? count : 0] = '\0';
}

size_t os_program_arguments(char *bytes_out, size_t size_bytes)
{
    int descriptor = os_open_read("/proc/self/cmdline");
    if (descriptor < 0)
        return 0;
    size_t total = 0;
    long count;
    while (total < size_bytes && (count = os_read(descriptor, bytes_out + total, size_bytes - total)) > 0)
        total += (size_t)count;
    os_close(descriptor);
    if (total == size_bytes)
        bytes_out[total - 1] = '\0';
    return total;
}

/* "/proc/self/task/123/comm" */
static void path_of_name(char *path, int thread_id)
{
    static const char before[] = "/proc/self/task/";
    char digits[12];
    size_t count = 0;
    for (unsigned rest = (unsigned)thread_id; rest != 0 && count < sizeof digits; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    memcpy(path, before, sizeof before - 1);
    path += sizeof before - 1;
    while (count > 0)
        *path++ = digits[--count];
    memcpy(path, "/comm", 6);
}

bool os_thread_name(int thread_id, char *name_out)
{
    enum { NAME_BYTES = 16 };
    char path[48];
    path_of_name(path, thread_id);
    int descriptor = os_open_read(path);
    if (descriptor < 0)
        return false;
    long count = os_read(descriptor, name_out, NAME_BYTES);
    os_close(descriptor);
    if (count <= 0)
        return false;
    name_out[count - 1] = '\0'; /* a line */
    return true;
}

void os_own_name(char *name_out)
{
    os_syscall3(SYS_prctl, PR_GET_NAME, (long)name_out, 0);
}

uint64_t os_clock_real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

bool os_thread_block_is(uintptr_t block, const uintptr_t words[OS_THREAD_BLOCK_WORDS])
{
#if defined(__x86_64__)
    return words[0] == block && words[2] == block;
#else
    (void)block;
    (void)words;
    return false;
#endif
}

int os_at_fork(void (*in_child)(void))
{
    return pthread_atfork(NULL, NULL, in_child);
}
