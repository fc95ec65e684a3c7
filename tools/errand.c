/*
 * tools/errand: has a stopped process make a descriptor for us.
 *
 * What the thread was in when it was stopped stays as it is: at the end it stops once more on its way out of the kernel, as
 * it had before, and there gets back the registers that tell the kernel which call to begin again. A signal that arrives
 * meanwhile waits, and then ends that call as it would have.
 */
#include "tools/errand.h"

#include "os/errand.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)

/* For those who build with older headers: Linux 3.11, 5.13 and 6.4. */
enum { GET_SIGNAL_MASK = 0x420a, SET_SIGNAL_MASK = 0x420b, GET_RSEQ = 0x420f, GET_DISPATCH = 0x4211 };

enum { USER_CODE_64 = 0x33, TRAP_FLAG = 0x100, CALL_BYTES = 2, STOPS_MAX = 16 };

struct errand {
    struct seized_thread *thread;
    const struct target *target;
    const struct image *header;
    struct user_regs_struct registers; /* as they were */
    uint64_t mask;
};

/* ---- which thread ---- */

static int get_registers(pid_t thread_id, struct user_regs_struct *registers_out)
{
    struct iovec part = {registers_out, sizeof *registers_out};
    return ptrace(PTRACE_GETREGSET, thread_id, (void *)NT_PRSTATUS, &part) == 0 && part.iov_len == sizeof *registers_out ? 0 : -ESRCH;
}

static int set_registers(pid_t thread_id, const struct user_regs_struct *registers)
{
    struct iovec part = {(void *)registers, sizeof *registers};
    return ptrace(PTRACE_SETREGSET, thread_id, (void *)NT_PRSTATUS, &part) == 0 ? 0 : -ESRCH;
}

/* In code that begins anew when the thread is interrupted, which the kernel would not notice any more. */
static bool is_in_restartable(const struct target *target, pid_t thread_id)
{
    struct {
        uint64_t address;
        uint32_t size_bytes, signature, flags, pad;
    } where = {0};
    uint64_t section = 0;
    if (ptrace((enum __ptrace_request)GET_RSEQ, thread_id, (void *)sizeof where, &where) < 0)
        return true;
    if (where.address == 0)
        return false;
    return target_read_all(target, where.address + 8, &section, sizeof section) != 0 || section != 0;
}

/* The program has its calls delivered to itself, as Wine does. */
static bool is_dispatched(pid_t thread_id)
{
    struct {
        uint64_t mode, selector, offset, length;
    } dispatch = {0};
    return ptrace((enum __ptrace_request)GET_DISPATCH, thread_id, (void *)sizeof dispatch, &dispatch) == 0 && dispatch.mode != 0;
}

static bool is_fit(const struct target *target, const struct seized_thread *thread)
{
    struct user_regs_struct registers;
    if (!thread->is_stopped || thread->signal != 0 || get_registers(thread->thread_id, &registers) != 0)
        return false;
    bool is_in_call = (long)registers.orig_rax >= 0;
    return registers.cs == USER_CODE_64 && (is_in_call || !is_in_restartable(target, thread->thread_id)) &&
           !is_dispatched(thread->thread_id);
}

static bool is_on_errand(const struct seized *seized, const struct image *header)
{
    for (size_t i = 0; i < seized->count; i++)
        if (seized_program_counter(&seized->threads[i]) - header->errand_code < OS_ERRAND_CODE_BYTES)
            return true;
    return false;
}

/* The first thread if it will do: an old kernel finds its files only. */
static struct seized_thread *choose(const struct seized *seized, const struct target *target)
{
    struct seized_thread *chosen = NULL;
    for (size_t i = 0; i < seized->count; i++) {
        struct seized_thread *thread = &seized->threads[i];
        bool is_first = thread->thread_id == seized->process_id;
        if ((chosen == NULL || is_first) && is_fit(target, thread))
            chosen = thread;
    }
    return chosen;
}

/* ---- filters ---- */

static int seccomp_mode(const struct target *target, pid_t thread_id)
{
    char path[48], line[256];
    snprintf(path, sizeof path, "task/%d/status", (int)thread_id);
    int descriptor = openat(target->folder, path, O_RDONLY | O_CLOEXEC);
    FILE *status = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    int mode = status == NULL ? -ESRCH : 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Seccomp:", 8) == 0)
            mode = atoi(line + 8);
    if (status != NULL)
        fclose(status);
    return mode;
}

/*
 * A filter may do anything about a call that the program does not make. None is ever suspended: where the thread is sent is
 * what the process's own memory says, and code that a filter confines would be free there.
 */
static int set_options(const struct errand *errand)
{
    int mode = seccomp_mode(errand->target, errand->thread->thread_id);
    if (mode != 0)
        return mode < 0 ? mode : -EACCES;
    return ptrace(PTRACE_SETOPTIONS, errand->thread->thread_id, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0 ? 0 : -errno;
}

/* ---- there and back ---- */

/* The way back without us. What the kernel would begin again begins again there by its instruction. */
static struct os_errand way_back(const struct errand *errand)
{
    enum { BEGIN_AGAIN_MIN = 512, BEGIN_AGAIN_MAX = 514, BEGIN_AGAIN_OTHERWISE = 516 };
    const struct user_regs_struct *from = &errand->registers;
    struct os_errand back = {
        .rax = from->rax, .rbx = from->rbx, .rcx = from->rcx, .rdx = from->rdx, .rsi = from->rsi, .rdi = from->rdi,
        .rbp = from->rbp, .rsp = from->rsp, .r8 = from->r8, .r9 = from->r9, .r10 = from->r10, .r11 = from->r11,
        .r12 = from->r12, .r13 = from->r13, .r14 = from->r14, .r15 = from->r15, .flags = from->eflags,
        .program_counter = from->rip, .blocked_signals = errand->mask,
    };
    long result = (long)from->rax;
    bool is_same = result <= -BEGIN_AGAIN_MIN && result >= -BEGIN_AGAIN_MAX;
    if ((long)from->orig_rax >= 0 && (is_same || result == -BEGIN_AGAIN_OTHERWISE)) {
        back.rax = is_same ? from->orig_rax : SYS_restart_syscall;
        back.program_counter -= CALL_BYTES;
    }
    return back;
}

static int leave_way_back(const struct errand *errand)
{
    struct os_errand back = way_back(errand);
    struct iovec local = {&back, sizeof back}, remote = {(void *)errand->header->errand_room, sizeof back};
    ssize_t count = process_vm_writev(errand->thread->thread_id, &local, 1, &remote, 1, 0);
    return count == (ssize_t)sizeof back ? 0 : count < 0 ? -errno : -EFAULT;
}

static int set_mask(const struct errand *errand, uint64_t mask)
{
    return ptrace((enum __ptrace_request)SET_SIGNAL_MASK, errand->thread->thread_id, (void *)sizeof mask, &mask) == 0 ? 0 : -ESRCH;
}

/*
 * Lets the thread go on to the next stop of the kind: at a call's beginning or end, or one that we have asked for. Signals
 * that can't be blocked are kept for when the thread is let go.
 */
static int go_on(const struct errand *errand, enum __ptrace_request how)
{
    struct seized_thread *thread = errand->thread;
    for (int stops = 0; stops < STOPS_MAX; stops++) {
        thread->is_stopped = false;
        if (ptrace(how, thread->thread_id, NULL, NULL) != 0)
            return -ESRCH;
        int status = 0, result = seize_await(thread, &status);
        if (result != 0)
            return result;
        bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80), is_asked_for = status >> 16 == PTRACE_EVENT_STOP;
        if (how == PTRACE_SYSCALL ? is_call : is_asked_for)
            return 0;
        if (!is_call && !is_asked_for && status >> 16 == 0)
            thread->signal = WSTOPSIG(status);
    }
    return -EAGAIN;
}

/* Before Linux 6.9 threads can't be named, only the process, whose files are those of its first thread. */
static int open_thread(const struct errand *errand)
{
    enum { A_THREAD = O_EXCL };
    int thread = (int)syscall(SYS_pidfd_open, errand->thread->thread_id, A_THREAD);
    return thread >= 0 ? thread : (int)syscall(SYS_pidfd_open, errand->target->process_id, 0);
}

static int duplicate(const struct errand *errand, int number)
{
    int thread = open_thread(errand);
    int result = thread < 0 ? -1 : (int)syscall(438 /* pidfd_getfd */, thread, number, 0);
    if (thread >= 0)
        close(thread);
    return result < 0 ? -EBADF : result;
}

/* A call's beginning, and its end. */
static int make_call(const struct errand *errand, long *result_out)
{
    struct user_regs_struct registers;
    int result = go_on(errand, PTRACE_SYSCALL);
    if (result == 0)
        result = go_on(errand, PTRACE_SYSCALL);
    if (result == 0)
        result = get_registers(errand->thread->thread_id, &registers);
    if (result == 0)
        *result_out = (long)registers.rax;
    return result;
}

static int make_descriptor(const struct errand *errand)
{
    long answer = 0, closed;
    int result = make_call(errand, &answer);
    if (result != 0)
        return result;
    int descriptor = answer >= 0 ? duplicate(errand, (int)answer) : (int)answer;
    if (answer >= 0)
        result = make_call(errand, &closed);
    if (result != 0 && descriptor >= 0)
        close(descriptor);
    return result != 0 ? result : descriptor;
}

static int send(const struct errand *errand, long call, long argument)
{
    struct user_regs_struct registers = errand->registers;
    registers.rip = errand->header->errand_code;
    registers.rax = (unsigned long)call;
    registers.rdi = (unsigned long)argument;
    registers.orig_rax = (unsigned long)-1;
    registers.eflags &= ~(unsigned long)TRAP_FLAG;
    int result = leave_way_back(errand);
    if (result == 0)
        result = set_registers(errand->thread->thread_id, &registers);
    return result == 0 ? set_mask(errand, UINT64_MAX) : result;
}

/* Signals are blocked while the thread is in the library's code and never otherwise, whenever this command is killed. */
static int settle(const struct errand *errand)
{
    int result = set_mask(errand, errand->mask);
    if (result == 0)
        result = set_registers(errand->thread->thread_id, &errand->registers);
    ptrace(PTRACE_SETOPTIONS, errand->thread->thread_id, NULL, NULL);
    return result;
}

static int fetch_back(const struct errand *errand)
{
    ptrace(PTRACE_INTERRUPT, errand->thread->thread_id, NULL, NULL);
    int result = go_on(errand, PTRACE_CONT);
    return result == 0 ? settle(errand) : result;
}

int errand_descriptor(struct seized *seized, const struct target *target, const struct image *header, long call,
                      long argument)
{
    struct errand errand = {.target = target, .header = header};
    if (header->errand_code == 0 || header->errand_room == 0)
        return -ENOSYS;
    errand.thread = is_on_errand(seized, header) ? NULL : choose(seized, target);
    if (errand.thread == NULL)
        return -EAGAIN;
    pid_t thread_id = errand.thread->thread_id;
    int result = get_registers(thread_id, &errand.registers);
    if (result == 0 && ptrace((enum __ptrace_request)GET_SIGNAL_MASK, thread_id, (void *)sizeof errand.mask, &errand.mask) != 0)
        result = -errno;
    if (result == 0)
        result = set_options(&errand);
    if (result != 0)
        return result;
    result = send(&errand, call, argument);
    if (result != 0) {
        settle(&errand);
        return result;
    }
    int descriptor = make_descriptor(&errand);
    result = fetch_back(&errand);
    if (result != 0 && descriptor >= 0)
        close(descriptor);
    return result != 0 ? result : descriptor;
}

#else

int errand_descriptor(struct seized *seized, const struct target *target, const struct image *header, long call,
                      long argument)
{
    (void)seized;
    (void)target;
    (void)header;
    (void)call;
    (void)argument;
    return -ENOSYS;
}

#endif
