/*
 * os/tail: code that asks a function without arguments where to go, and goes there with its caller's frame as it found it.
 *
 * For vfork, which returns twice, so that nothing may return in between. The text of an assembler function's body; the
 * target is the name of the function asked, as a string literal.
 */
#ifndef OS_TAIL_H
#define OS_TAIL_H

#if defined(__x86_64__)
#define OS_TAIL_JUMP(target)                                                                                          \
    "sub $8, %rsp\n"                                                                                                  \
    ".cfi_adjust_cfa_offset 8\n"                                                                                      \
    "call " target "\n"                                                                                               \
    "add $8, %rsp\n"                                                                                                  \
    ".cfi_adjust_cfa_offset -8\n"                                                                                     \
    "jmp *%rax\n"
#else
#define OS_TAIL_JUMP(target)                                                                                          \
    "stp x29, x30, [sp, #-16]!\n"                                                                                     \
    "bl " target "\n"                                                                                                 \
    "mov x16, x0\n"                                                                                                   \
    "ldp x29, x30, [sp], #16\n"                                                                                       \
    "br x16\n"
#endif

#endif
