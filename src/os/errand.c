/*
 * os/errand: system calls that a tool has one of this process's threads make.
 */
#include "os/errand.h"

#include <stddef.h>

#if defined(__x86_64__)

struct os_errand os_errand_room;

/*
 * Entered with a call in the registers that makes a descriptor, and with all signals blocked: a handler would run here
 * instead of ending the call that the program is in. The tool duplicates the descriptor when the call has returned. Flags
 * come by the stack, below what the function that was interrupted may use there.
 */
__attribute__((cold, noinline, naked)) void os_errand_code(void)
{
    __asm__("syscall\n\t"
            "testq %rax, %rax\n\t"
            "js 1f\n\t"
            "movl %eax, %edi\n\t"
            "movl $3, %eax\n\t" /* close */
            "syscall\n"
            "1:\n\t"
            "movl $14, %eax\n\t" /* rt_sigprocmask */
            "movl $2, %edi\n\t"  /* SIG_SETMASK */
            "leaq 144+os_errand_room(%rip), %rsi\n\t"
            "xorl %edx, %edx\n\t"
            "movl $8, %r10d\n\t"
            "syscall\n\t"
            "movq 56+os_errand_room(%rip), %rsp\n\t"
            "leaq -128(%rsp), %rsp\n\t"
            "pushq 128+os_errand_room(%rip)\n\t"
            "popfq\n\t"
            "leaq 128(%rsp), %rsp\n\t"
            "movq 0+os_errand_room(%rip), %rax\n\t"
            "movq 8+os_errand_room(%rip), %rbx\n\t"
            "movq 16+os_errand_room(%rip), %rcx\n\t"
            "movq 24+os_errand_room(%rip), %rdx\n\t"
            "movq 32+os_errand_room(%rip), %rsi\n\t"
            "movq 40+os_errand_room(%rip), %rdi\n\t"
            "movq 48+os_errand_room(%rip), %rbp\n\t"
            "movq 64+os_errand_room(%rip), %r8\n\t"
            "movq 72+os_errand_room(%rip), %r9\n\t"
            "movq 80+os_errand_room(%rip), %r10\n\t"
            "movq 88+os_errand_room(%rip), %r11\n\t"
            "movq 96+os_errand_room(%rip), %r12\n\t"
            "movq 104+os_errand_room(%rip), %r13\n\t"
            "movq 112+os_errand_room(%rip), %r14\n\t"
            "movq 120+os_errand_room(%rip), %r15\n\t"
            "jmpq *136+os_errand_room(%rip)");
}

_Static_assert(offsetof(struct os_errand, rsp) == 56 && offsetof(struct os_errand, r8) == 64 &&
                   offsetof(struct os_errand, flags) == 128 && offsetof(struct os_errand, program_counter) == 136 &&
                   offsetof(struct os_errand, blocked_signals) == 144,
               "as the code above has it");

#endif
