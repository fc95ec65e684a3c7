/*
 * os/signals: dispositions, masks and sending, by raw system calls.
 *
 * Locks: none.
 */
#include "os/signals.h"

#include "os/syscall.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { MASK_BYTES = 8 };

#if defined(__x86_64__)
#define FLAG_RESTORER 0x04000000ul

/* What a handler returns to. gdb and unwinders know it by its bytes, as they know libc's. */
__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".type os_signal_return, @function\n"
        "os_signal_return:\n"
        "    mov $15, %rax\n"
        "    syscall\n"
        ".size os_signal_return, . - os_signal_return\n"
        ".popsection\n");
extern void os_signal_return(void) __attribute__((visibility("hidden")));
#endif

int os_signal_get(int signal, struct os_disposition *disposition_out)
{
    return (int)os_syscall(SYS_rt_sigaction, signal, 0, (long)disposition_out, MASK_BYTES, 0, 0);
}

int os_signal_set(int signal, const struct os_disposition *disposition)
{
    return (int)os_syscall(SYS_rt_sigaction, signal, (long)disposition, 0, MASK_BYTES, 0, 0);
}

struct os_disposition os_signal_disposition(os_signal_handler *handler, bool on_alternate_stack)
{
    struct os_disposition disposition = {
        .handler = handler,
        .flags = SA_SIGINFO | SA_RESTART | (on_alternate_stack ? (unsigned long)SA_ONSTACK : 0),
        .mask = UINT64_MAX,
    };
#if defined(__x86_64__)
    disposition.flags |= FLAG_RESTORER;
    disposition.restorer = os_signal_return;
#endif
    return disposition;
}

size_t os_signal_stack_bytes(void)
{
    enum { KEY = 51, USUAL_BYTES = 2048 }; /* AT_MINSIGSTKSZ, not in older headers */
    size_t size_bytes = getauxval(KEY);
    return size_bytes != 0 ? size_bytes : USUAL_BYTES;
}

bool os_signal_is_handled(const struct os_disposition *disposition)
{
    return (uintptr_t)disposition->handler > 1;
}

bool os_signal_restarts_calls(const struct os_disposition *disposition)
{
    return (disposition->flags & SA_RESTART) != 0;
}

int os_signal_send(int process_id, int thread_id, int signal, uintptr_t value)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = process_id;
    info.si_value.sival_ptr = (void *)value;
    return (int)os_syscall(SYS_rt_tgsigqueueinfo, process_id, thread_id, signal, (long)&info, 0, 0);
}

bool os_signal_value(const void *info, int process_id, uintptr_t *value_out)
{
    const siginfo_t *signal_info = info;
    if (signal_info->si_code != SI_QUEUE || signal_info->si_pid != process_id)
        return false;
    *value_out = (uintptr_t)signal_info->si_value.sival_ptr;
    return true;
}

uint64_t os_signal_block_all(void)
{
    uint64_t all = UINT64_MAX;
    uint64_t before = 0;
    os_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, MASK_BYTES, 0, 0);
    return before;
}

void os_signal_set_mask(uint64_t mask)
{
    os_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, MASK_BYTES, 0, 0);
}

void os_signal_unblock(int signal)
{
    uint64_t mask = (uint64_t)1 << (signal - 1);
    os_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, MASK_BYTES, 0, 0);
}

uint64_t os_signal_pending(void)
{
    uint64_t pending = 0;
    os_syscall3(SYS_rt_sigpending, (long)&pending, MASK_BYTES, 0);
    return pending;
}
