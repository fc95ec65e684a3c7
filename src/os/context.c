/*
 * os/context: what a signal has interrupted, on each machine.
 *
 * Locks: none.
 */
#include "os/context.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)
enum { CALL_BYTES = 2 };

static greg_t *stored(const void *context, int index)
{
    return &((ucontext_t *)context)->uc_mcontext.gregs[index];
}

uintptr_t os_context_stack_pointer(const void *context)
{
    return (uintptr_t)*stored(context, REG_RSP);
}

uintptr_t os_context_program_counter(const void *context)
{
    return (uintptr_t)*stored(context, REG_RIP);
}

static bool is_call_at(uintptr_t address)
{
    const uint8_t *code = (const uint8_t *)address;
    return code[0] == 0x0f && code[1] == 0x05;
}

static long call_result(const void *context)
{
    return (long)*stored(context, REG_RAX);
}

/* The number is lost in the result. libc loads most numbers right before the instruction: mov $number, %eax. */
static long number_from_code(uintptr_t after)
{
    enum { MOVE_BYTES = 5, MOVE_EAX = 0xb8 };
    const uint8_t *code = (const uint8_t *)(after - CALL_BYTES - MOVE_BYTES);
    int32_t number;
    if (code[0] != MOVE_EAX)
        return -1;
    memcpy(&number, code + 1, sizeof number);
    return number >= 0 && number < 1024 ? number : -1;
}

bool os_context_restart(void *context, const struct os_call *call)
{
    uintptr_t after = os_context_program_counter(context);
    long number = number_from_code(after);
    if (call != NULL && call->program_counter == after &&
        call->stack_pointer == os_context_stack_pointer(context))
        number = call->number;
    if (number < 0)
        return false;
    *stored(context, REG_RAX) = number;
    *stored(context, REG_RIP) = (greg_t)(after - CALL_BYTES);
    return true;
}

bool os_context_before_call(const void *context, long *number_out)
{
    if (!is_call_at(os_context_program_counter(context)))
        return false;
    *number_out = call_result(context);
    return true;
}

void os_context_interrupt(void *context)
{
    *stored(context, REG_RAX) = -EINTR;
    *stored(context, REG_RIP) += CALL_BYTES;
}
#elif defined(__aarch64__)
enum { CALL_BYTES = 4, NUMBER_REGISTER = 8 };

static mcontext_t *machine(const void *context)
{
    return &((ucontext_t *)context)->uc_mcontext;
}

uintptr_t os_context_stack_pointer(const void *context)
{
    return machine(context)->sp;
}

uintptr_t os_context_program_counter(const void *context)
{
    return machine(context)->pc;
}

static bool is_call_at(uintptr_t address)
{
    const uint32_t *code = (const uint32_t *)address;
    return *code == 0xd4000001; /* svc #0 */
}

static long call_result(const void *context)
{
    return (long)machine(context)->regs[0];
}

/* The number is still there; the first argument is lost in the result. */
bool os_context_restart(void *context, const struct os_call *call)
{
    uintptr_t after = os_context_program_counter(context);
    if (call == NULL || call->program_counter != after ||
        call->stack_pointer != os_context_stack_pointer(context))
        return false;
    machine(context)->regs[0] = call->arguments[0];
    machine(context)->pc = after - CALL_BYTES;
    return true;
}

bool os_context_before_call(const void *context, long *number_out)
{
    if (!is_call_at(os_context_program_counter(context)))
        return false;
    *number_out = (long)machine(context)->regs[NUMBER_REGISTER];
    return true;
}

void os_context_interrupt(void *context)
{
    machine(context)->regs[0] = (unsigned long long)-EINTR;
    machine(context)->pc += CALL_BYTES;
}
#endif

uint64_t os_context_mask(const void *context)
{
    uint64_t mask;
    memcpy(&mask, &((const ucontext_t *)context)->uc_sigmask, sizeof mask);
    return mask;
}

bool os_context_on_alternate_stack(const void *context, uintptr_t address, uintptr_t *end_out)
{
    const stack_t *stack = &((const ucontext_t *)context)->uc_stack;
    uintptr_t start = (uintptr_t)stack->ss_sp;
    if ((stack->ss_flags & SS_DISABLE) != 0 || address - start >= stack->ss_size)
        return false;
    *end_out = start + stack->ss_size;
    return true;
}

bool os_context_is_interrupted(const void *context)
{
    return call_result(context) == -EINTR &&
           is_call_at(os_context_program_counter(context) - CALL_BYTES);
}
