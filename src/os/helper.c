/*
 * os/helper: a thread of our own that libc does not know.
 *
 * libc's pthread_create() would allocate, tell programs that they have two threads now, and list a thread that setuid() waits
 * for. What runs here uses nothing of libc's that looks at more of the thread than errno.
 *
 * Locks: none.
 */
#include "os/helper.h"

#include "os/signals.h"
#include "os/syscall.h"
#include "os/thread.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

char os_has_helpers;

void os_helper_forget(void)
{
    os_has_helpers = 0;
}

#if defined(__x86_64__)

enum {
    HEADER_BYTES =
        4096, /* above the thread pointer: libc's descriptor of a thread, of which the first words matter */
    VARIABLES_BYTES = 64 * 1024, /* below it */
    CLOSE_UNSHARE = 2,
};

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

long helper_clone(unsigned long flags, void *stack, _Atomic int32_t *parent_id,
                  _Atomic int32_t *child_id, void *thread_pointer, void (*function)(void *context),
                  void *context);

__asm__(".pushsection .text.unlikely, \"ax\", @progbits\n"
        ".hidden helper_clone\n"
        ".globl helper_clone\n"
        ".type helper_clone, @function\n"
        "helper_clone:\n"
        ".cfi_startproc\n"
        "mov 8(%rsp), %rax\n"
        "sub $16, %rsi\n"
        "mov %r9, (%rsi)\n"
        "mov %rax, 8(%rsi)\n"
        "mov %rcx, %r10\n"
        "mov $56, %eax\n"
        "syscall\n"
        "test %rax, %rax\n"
        "jz 1f\n"
        "ret\n"
        ".cfi_endproc\n"
        ".cfi_startproc\n"
        ".cfi_undefined %rip\n"
        "1:\n"
        "xor %ebp, %ebp\n"
        "pop %rax\n"
        "pop %rdi\n"
        "call *%rax\n"
        "mov $60, %eax\n"
        "xor %edi, %edi\n"
        "syscall\n"
        "hlt\n"
        ".cfi_endproc\n"
        ".size helper_clone, . - helper_clone\n"
        ".popsection\n");

static char *thread_pointer(void)
{
    char *pointer;
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

/* The canary and the guard of pointers are the same in all threads; errno and our own variables must have room. */
static char *make_thread(char *memory)
{
    enum { SELF = 0, SELF_AGAIN = 16, CANARY = 40, GUARD = 48, WORD = 8 };
    char *own = thread_pointer();
    char *made = memory + OS_HELPER_BYTES - HEADER_BYTES;
    if ((size_t)(own - (char *)&errno) > VARIABLES_BYTES - 64)
        return NULL;
    memset(made - VARIABLES_BYTES, 0, VARIABLES_BYTES + HEADER_BYTES);
    memcpy(made + SELF, &made, sizeof made);
    memcpy(made + SELF_AGAIN, &made, sizeof made);
    memcpy(made + CANARY, own + CANARY, WORD);
    memcpy(made + GUARD, own + GUARD, WORD);
    return made;
}

int os_helper_start(void *memory, void (*function)(void *context), void *context,
                    _Atomic int32_t *thread_id)
{
    char *thread = make_thread(memory);
    if (thread == NULL)
        return -ENOSYS;
    unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                          CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    os_has_helpers = 1;
    uint64_t mask = os_signal_block_all();
    long result = helper_clone(flags, thread - VARIABLES_BYTES, thread_id, thread_id, thread,
                               function, context);
    os_signal_set_mask(mask);
    return result < 0 ? (int)result : 0;
}

/* The kernel copies none of those that it is to close: nobody's files stay open for our sake. */
int os_helper_leave_files(bool keep_errors)
{
    enum { ERRORS = 2 };
    unsigned first = keep_errors ? ERRORS + 1 : 0;
    int result = (int)os_syscall3(SYS_close_range, first, ~0u, CLOSE_UNSHARE);
    if (result == 0 && keep_errors)
        os_syscall3(SYS_close_range, 0, ERRORS - 1, 0);
    return result;
}

#else

int os_helper_start(void *memory, void (*function)(void *context), void *context,
                    _Atomic int32_t *thread_id)
{
    (void)memory, (void)function, (void)context, (void)thread_id;
    return -ENOSYS;
}

int os_helper_leave_files(bool keep_errors)
{
    (void)keep_errors;
    return -ENOSYS;
}

#endif

void os_helper_await_end(int32_t id)
{
    long process_id = os_syscall3(SYS_getpid, 0, 0, 0);
    while (os_syscall3(SYS_tgkill, process_id, id, 0) == 0)
        os_helper_yield();
}

void os_helper_yield(void)
{
    os_syscall3(SYS_sched_yield, 0, 0, 0);
}
