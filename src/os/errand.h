/*
 * os/errand: system calls that a tool has one of this process's threads make.
 *
 * Some things only a process can ask for itself. A tool that has stopped it by ptrace(2) puts a thread into this code,
 * watches the call, and then gives the thread back exactly what it had. Should the tool be killed in the middle, the
 * thread finds its own way back: what it does last is to load its registers from where the tool has left them, so that the
 * program never notices.
 *
 * Locks: none; the tool sees to it that no other thread runs.
 */
#ifndef OS_ERRAND_H
#define OS_ERRAND_H

#include <stdint.h>

/*
 * What the thread goes back to without the tool. A call that the stop has cut short begins anew: then the program counter
 * is that of its instruction, and rax its number.
 */
struct os_errand {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t flags;
    uint64_t program_counter;
    uint64_t blocked_signals;
};

/*
 * Where both lie; 0 on machines that have none. A tool finds them in the image. Inline, since every process asks for them
 * and none runs what lies there.
 */
#if defined(__x86_64__)
void os_errand_code(void);
extern struct os_errand os_errand_room;

static inline uintptr_t os_errand_code_address(void)
{
    return (uintptr_t)os_errand_code;
}

static inline uintptr_t os_errand_room_address(void)
{
    return (uintptr_t)&os_errand_room;
}
#else
static inline uintptr_t os_errand_code_address(void)
{
    return 0;
}

static inline uintptr_t os_errand_room_address(void)
{
    return 0;
}
#endif

/* Of code, at most: a thread that is in it has an errand to end. */
enum { OS_ERRAND_CODE_BYTES = 256 };

#endif
