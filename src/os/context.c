/*
 * os/context: what a signal has interrupted, on each machine.
 *
 * Locks: none.
 */
#include "os/context.h"

#include "os/syscall.h"

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

static bool is_same_place(const struct os_call *call, const void *context)
{
    return call->program_counter == os_context_program_counter(context) &&
           call->stack_pointer == os_context_stack_pointer(context);
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

static void read_arguments(const void *context, struct os_call *call)
{
    static const int registers[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    for (int i = 0; i < 6; i++)
        call->arguments[i] = (uintptr_t)*stored(context, registers[i]);
}

bool os_context_call(const void *context, const struct os_call *known, struct os_call *call_out)
{
    uintptr_t after = os_context_program_counter(context);
    struct os_call call = {
        .number = number_from_code(after),
        .stack_pointer = os_context_stack_pointer(context),
        .program_counter = after,
    };
    if (known != NULL && is_same_place(known, context))
        call.number = known->number;
    read_arguments(context, &call);
    *call_out = call;
    return call.number >= 0;
}

void os_context_restart(void *context, const struct os_call *call)
{
    *stored(context, REG_RAX) = call->number;
    *stored(context, REG_RIP) -= CALL_BYTES;
}

void os_context_set_result(void *context, long result)
{
    *stored(context, REG_RAX) = result;
}

bool os_context_before_call(const void *context, long *number_out)
{
    if (!is_call_at(os_context_program_counter(context)))
        return false;
    *number_out = call_result(context);
    return true;
}

void os_context_next_call(const void *context, struct os_call *call_out)
{
    call_out->number = call_result(context);
    read_arguments(context, call_out);
}

void os_context_step(void *context, long result)
{
    *stored(context, REG_RAX) = result;
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
bool os_context_call(const void *context, const struct os_call *known, struct os_call *call_out)
{
    if (known == NULL || known->program_counter != os_context_program_counter(context) ||
        known->stack_pointer != os_context_stack_pointer(context))
        return false;
    *call_out = *known;
    return true;
}

void os_context_restart(void *context, const struct os_call *call)
{
    machine(context)->regs[0] = call->arguments[0];
    machine(context)->pc -= CALL_BYTES;
}

void os_context_set_result(void *context, long result)
{
    machine(context)->regs[0] = (unsigned long long)result;
}

bool os_context_before_call(const void *context, long *number_out)
{
    if (!is_call_at(os_context_program_counter(context)))
        return false;
    *number_out = (long)machine(context)->regs[NUMBER_REGISTER];
    return true;
}

void os_context_next_call(const void *context, struct os_call *call_out)
{
    call_out->number = (long)machine(context)->regs[NUMBER_REGISTER];
    for (int i = 0; i < 6; i++)
        call_out->arguments[i] = machine(context)->regs[i];
}

void os_context_step(void *context, long result)
{
    machine(context)->regs[0] = (unsigned long long)result;
    machine(context)->pc += CALL_BYTES;
}
#endif

long os_call_make(const struct os_call *call)
{
    const uintptr_t *arguments = call->arguments;
    return os_syscall(call->number, (long)arguments[0], (long)arguments[1], (long)arguments[2],
                      (long)arguments[3], (long)arguments[4], (long)arguments[5]);
}

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
