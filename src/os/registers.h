/*
 * os/registers: what unwinding a stack starts from.
 */
#ifndef OS_REGISTERS_H
#define OS_REGISTERS_H

#include <stdint.h>

struct os_registers {
    uintptr_t program_counter;
    uintptr_t stack_pointer;
    uintptr_t frame_pointer;
    uintptr_t base; /* rbx on x86-64: code that realigns its stack by hand keeps its frame there */
};

/* Of the function this is used in. */
static inline __attribute__((always_inline)) struct os_registers os_registers_here(void)
{
    struct os_registers here = {0};
#if defined(__x86_64__)
    __asm__ volatile("leaq 0(%%rip), %0\n\t"
                     "movq %%rsp, %1\n\t"
                     "movq %%rbp, %2\n\t"
                     "movq %%rbx, %3"
                     : "=r"(here.program_counter), "=r"(here.stack_pointer),
                       "=r"(here.frame_pointer), "=r"(here.base));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, .\n\t"
                     "mov %1, sp"
                     : "=r"(here.program_counter), "=r"(here.stack_pointer));
    here.frame_pointer = (uintptr_t)__builtin_frame_address(0); /* and so the function has a frame of its own by now */
#endif
    return here;
}

/* The same with the others that functions must keep: r12 to r15. */
enum { OS_OTHER_REGISTERS = 4 };

struct os_all_registers {
    struct os_registers main;
    uintptr_t others[OS_OTHER_REGISTERS];
};

static inline __attribute__((always_inline)) struct os_all_registers os_all_registers_here(void)
{
    struct os_all_registers here = {.main = os_registers_here()};
#if defined(__x86_64__)
    __asm__ volatile("movq %%r12, %0\n\t"
                     "movq %%r13, %1\n\t"
                     "movq %%r14, %2\n\t"
                     "movq %%r15, %3"
                     : "=m"(here.others[0]), "=m"(here.others[1]), "=m"(here.others[2]), "=m"(here.others[3]));
#endif
    return here;
}

/* A return address as it was saved, without what signs it. */
static inline uintptr_t os_code_address(uintptr_t saved)
{
#if defined(__aarch64__)
    return saved & (((uintptr_t)1 << 48) - 1);
#else
    return saved;
#endif
}

/* Of what a signal interrupted. The context is the third argument of its handler, and lies on the stack, in full. */
struct os_registers os_registers_of_context(const void *context);
uint32_t os_registers_context_bytes(void);

/* The top of the main thread's stack, where its first function was entered; 0 if unknown. */
uintptr_t os_main_stack_end(void);

/* An address above all of the calling thread's stack, where it has one from the C library: its control block. */
static inline uintptr_t os_thread_pointer(void)
{
#if defined(__x86_64__)
    uintptr_t pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
#else
    return (uintptr_t)__builtin_thread_pointer();
#endif
}

#endif
