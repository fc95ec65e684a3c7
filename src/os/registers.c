/*
 * os/registers: of a signal's context, on each machine.
 *
 * Locks: none.
 */
#include "os/registers.h"

#include <stddef.h>
#include <ucontext.h>

extern void *__libc_stack_end __attribute__((weak));

uint32_t os_registers_context_bytes(void)
{
    return offsetof(ucontext_t, uc_mcontext) + sizeof(mcontext_t);
}

struct os_registers os_registers_of_context(const void *context)
{
#if defined(__x86_64__)
    const greg_t *stored = ((const ucontext_t *)context)->uc_mcontext.gregs;
    return (struct os_registers){(uintptr_t)stored[REG_RIP], (uintptr_t)stored[REG_RSP],
                                 (uintptr_t)stored[REG_RBP], (uintptr_t)stored[REG_RBX]};
#else
    (void)context;
    return (struct os_registers){0};
#endif
}

uintptr_t os_main_stack_end(void)
{
    return &__libc_stack_end == NULL ? 0 : (uintptr_t)__libc_stack_end;
}
