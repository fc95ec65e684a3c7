/*
 * tools/seize: stops all threads of a process for a moment.
 *
 * Threads are found in /proc/PID/task until a pass finds no new one: those that are stopped make none. The register
 * that holds a call's result says which calls the stop has cut short. The kernel restarts most of them by itself; some
 * end with EINTR whenever a thread stops (FACTS: epoll_wait, semop, sigtimedwait, calls on sockets with a timeout). If
 * no signal waits that could have been the cause, the thread is put back in front of the call.
 */
#include "tools/seize.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

enum { STOP_LIMIT_MS = 1000, PASSES_MAX = 64, XSTATE_BYTES_MAX = 16384 };

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif
#ifndef NT_ARM_SVE
#define NT_ARM_SVE 0x405
#endif

#if defined(__x86_64__)
enum { VECTOR_SET = NT_X86_XSTATE };
#else
enum { VECTOR_SET = NT_ARM_SVE };
#endif

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void seize_hurry(bool is_urgent)
{
    const struct sched_param urgent = {.sched_priority = 1}, usual = {0};
    sched_setscheduler(0, is_urgent ? SCHED_RR | SCHED_RESET_ON_FORK : SCHED_OTHER, is_urgent ? &urgent : &usual);
}

/* ---- registers ---- */

uintptr_t seized_program_counter(const struct seized_thread *thread)
{
#if defined(__x86_64__)
    return thread->registers.rip;
#else
    return thread->registers.pc;
#endif
}

uintptr_t seized_stack_pointer(const struct seized_thread *thread)
{
#if defined(__x86_64__)
    return thread->registers.rsp;
#else
    return thread->registers.sp;
#endif
}

uintptr_t seized_thread_pointer(const struct seized_thread *thread)
{
#if defined(__x86_64__)
    return thread->registers.fs_base;
#else
    (void)thread;
    return 0;
#endif
}

long seized_call(const struct seized_thread *thread)
{
#if defined(__x86_64__)
    return (long)thread->registers.orig_rax;
#else
    (void)thread;
    return -1;
#endif
}

static void read_set(struct seized_thread *thread, int index, int type, size_t room_bytes)
{
    uint8_t *bytes = malloc(room_bytes);
    struct iovec part = {bytes, room_bytes};
    if (bytes == NULL || ptrace(PTRACE_GETREGSET, thread->thread_id, (void *)(intptr_t)type, &part) != 0) {
        free(bytes);
        return;
    }
    thread->sets[index] = bytes;
    thread->set_bytes[index] = part.iov_len;
}

static int read_registers(struct seized_thread *thread)
{
    read_set(thread, 0, NT_PRSTATUS, sizeof thread->registers);
    if (thread->sets[0] == NULL || thread->set_bytes[0] != sizeof thread->registers)
        return -ESRCH;
    memcpy(&thread->registers, thread->sets[0], sizeof thread->registers);
    read_set(thread, 1, NT_PRFPREG, XSTATE_BYTES_MAX);
    read_set(thread, 2, VECTOR_SET, XSTATE_BYTES_MAX);
    return 0;
}

/* ---- calls cut short ---- */

#if defined(__x86_64__)

static uint64_t status_mask(FILE *status, const char *name)
{
    char line[256];
    size_t length = strlen(name);
    rewind(status);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, name, length) == 0)
            return strtoull(line + length, NULL, 16);
    return 0;
}

/* A signal waits that the thread would take. */
static bool has_signal(pid_t process_id, const struct seized_thread *thread)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)process_id, (int)thread->thread_id);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return true;
    uint64_t waiting = status_mask(status, "SigPnd:") | status_mask(status, "ShdPnd:");
    bool taken = (waiting & ~status_mask(status, "SigBlk:")) != 0;
    fclose(status);
    return taken || thread->signal != 0;
}

static bool ends_at_every_stop(long number)
{
    static const long calls[] = {
        SYS_epoll_wait, SYS_epoll_pwait, SYS_semop,   SYS_semtimedop, SYS_rt_sigtimedwait, SYS_io_getevents,
        SYS_recvfrom,   SYS_recvmsg,     SYS_recvmmsg, SYS_read,       SYS_readv,           SYS_accept,
        SYS_accept4,    SYS_connect,     SYS_sendto,   SYS_sendmsg,    SYS_write,           SYS_writev,
        SYS_msgrcv,     SYS_msgsnd,      441 /* epoll_pwait2 */,       333 /* io_pgetevents */,
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i] == number)
            return true;
    return false;
}

static void mend_call(pid_t process_id, struct seized_thread *thread)
{
    enum { CALL_BYTES = 2 }; /* of the instruction */
    struct user_regs_struct registers = thread->registers;
    if ((long)registers.rax != -EINTR || !ends_at_every_stop((long)registers.orig_rax) ||
        has_signal(process_id, thread))
        return;
    registers.rax = registers.orig_rax;
    registers.rip -= CALL_BYTES;
    struct iovec part = {&registers, sizeof registers};
    ptrace(PTRACE_SETREGSET, thread->thread_id, (void *)NT_PRSTATUS, &part);
}

#else

static void mend_call(pid_t process_id, struct seized_thread *thread)
{
    (void)process_id;
    (void)thread;
}

#endif

/* ---- stopping ---- */

static int traced_by_another(pid_t process_id, pid_t thread_id)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)process_id, (int)thread_id);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return -ESRCH;
    char line[256];
    int result = -EPERM;
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "TracerPid:", 10) == 0 && strtol(line + 10, NULL, 10) != 0)
            result = -EBUSY;
        /* What has ended can't be traced. */
        if (strncmp(line, "State:", 6) == 0 && strpbrk(line + 6, "ZX") != NULL)
            result = -ESRCH;
    }
    fclose(status);
    return result;
}

/* A thread that the kernel has made for io_uring: it runs no code of the program's, and can't be traced. */
static bool is_worker(pid_t process_id, pid_t thread_id)
{
    enum { IO_WORKER = 0x10 };
    char path[64];
    unsigned flags = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)process_id, (int)thread_id);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    int fields = fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %u", &flags);
    fclose(file);
    return fields == 1 && (flags & IO_WORKER) != 0;
}

static struct seized_thread *find(const struct seized *seized, pid_t thread_id)
{
    for (size_t i = seized->count; i-- > 0;)
        if (seized->threads[i].thread_id == thread_id)
            return &seized->threads[i];
    return NULL;
}

/* Returns 1 for a thread that is on its way to a stop, 0 for one that has ended, or -errno. */
static int seize_thread(struct seized *seized, pid_t thread_id)
{
    if ((seized->count & (seized->count + 1)) == 0) {
        size_t room = 2 * seized->count + 1;
        struct seized_thread *threads = realloc(seized->threads, room * sizeof *threads);
        if (threads == NULL)
            return -ENOMEM;
        seized->threads = threads;
    }
    if (ptrace(PTRACE_SEIZE, thread_id, NULL, NULL) != 0) {
        if (errno == EPERM && is_worker(seized->process_id, thread_id))
            return 0;
        int result = errno == ESRCH ? -ESRCH : traced_by_another(seized->process_id, thread_id);
        return result == -ESRCH ? 0 : result;
    }
    seized->threads[seized->count++] = (struct seized_thread){.thread_id = thread_id};
    ptrace(PTRACE_INTERRUPT, thread_id, NULL, NULL);
    return 1;
}

/* One pass over the kernel's list. Returns how many threads were new, or -errno. */
static int seize_new(struct seized *seized)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/task", (int)seized->process_id);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    int found = 0;
    const struct dirent *entry;
    while (found >= 0 && (entry = readdir(folder)) != NULL) {
        pid_t thread_id = atoi(entry->d_name);
        if (thread_id <= 0 || find(seized, thread_id) != NULL)
            continue;
        int result = seize_thread(seized, thread_id);
        found = result < 0 ? result : found + result;
    }
    closedir(folder);
    return found;
}

/* Returns 0, 1 when the thread has ended, or -ETIMEDOUT. */
static int await_status(struct seized_thread *thread, uint64_t deadline_ms, int *status_out)
{
    for (unsigned rounds = 0;; rounds++) {
        pid_t answer = waitpid(thread->thread_id, status_out, __WALL | WNOHANG);
        if (answer < 0 && errno != EINTR)
            return 1;
        if (answer > 0 && !WIFSTOPPED(*status_out))
            return 1;
        if (answer > 0) {
            thread->is_stopped = true;
            return 0;
        }
        if (rounds > 64 && now_ms() > deadline_ms)
            return -ETIMEDOUT;
        struct timespec pause = {.tv_nsec = rounds < 32 ? 5000 : 50000};
        nanosleep(&pause, NULL);
    }
}

static int await_stop(struct seized_thread *thread, uint64_t deadline_ms)
{
    int status = 0, result = await_status(thread, deadline_ms, &status);
    /* Not our stop but a signal on its way: the thread stands still all the same. */
    if (result == 0)
        thread->signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
    return result;
}

int seize_await(struct seized_thread *thread, int *status_out)
{
    int result = await_status(thread, now_ms() + STOP_LIMIT_MS, status_out);
    return result == 1 ? -ESRCH : result;
}

static int await_all(struct seized *seized, uint64_t deadline_ms)
{
    for (size_t i = 0; i < seized->count; i++) {
        if (seized->threads[i].is_stopped)
            continue;
        int result = await_stop(&seized->threads[i], deadline_ms);
        if (result == 1) {
            seized->left_out++;
            seized->threads[i--] = seized->threads[--seized->count];
        } else if (result < 0) {
            return result;
        }
    }
    return 0;
}

static int stop_all(struct seized *seized)
{
    uint64_t deadline_ms = now_ms() + STOP_LIMIT_MS;
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        int found = seize_new(seized);
        if (found < 0)
            return found;
        int result = await_all(seized, deadline_ms);
        if (result != 0)
            return result;
        if (found == 0)
            return seized->count > 0 ? 0 : -ESRCH;
    }
    return -ETIMEDOUT;
}

int seize_begin(pid_t process_id, struct seized *seized_out)
{
    struct seized seized = {.process_id = process_id};
    prctl(PR_SET_TIMERSLACK, 1); /* of the short waits for each thread */
    int result = stop_all(&seized);
    for (size_t i = 0; i < seized.count && result == 0; i++) {
        result = read_registers(&seized.threads[i]);
        if (result == 0)
            mend_call(process_id, &seized.threads[i]);
    }
    *seized_out = seized;
    if (result != 0) {
        seize_end(seized_out);
        seize_free(seized_out);
    }
    return result;
}

/* One that has not stopped yet can't be let go; the kernel does that when this command ends. */
void seize_end(struct seized *seized)
{
    for (size_t i = 0; i < seized->count; i++) {
        struct seized_thread *thread = &seized->threads[i];
        if (!thread->is_stopped)
            await_stop(thread, now_ms());
        if (thread->is_stopped)
            ptrace(PTRACE_DETACH, thread->thread_id, NULL, (void *)(intptr_t)thread->signal);
        thread->is_stopped = false;
    }
}

void seize_free(struct seized *seized)
{
    for (size_t i = 0; i < seized->count; i++)
        for (int set = 0; set < SEIZE_SETS; set++)
            free(seized->threads[i].sets[set]);
    free(seized->threads);
    *seized = (struct seized){0};
}
