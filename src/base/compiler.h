/* base/compiler: what we ask of gcc and clang beyond the language. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define COLD __attribute__((cold, noinline))
/* Runs in every process, in a file of which else little does: it goes to the pages that all need. See preload/segments.ld. */
#define IN_EVERY_PROCESS __attribute__((section(".text.startup"), noinline))
/* A variable, all zero at first, that most processes never write, in a file of which others are. */
#define IN_FEW_PROCESSES __attribute__((section(".bss.few")))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define PRINTF_LIKE(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#define CACHE_LINE_BYTES 64

/*
 * The value is in a register or on the stack here, after everything above and before everything below: a thread may be
 * stopped at any instruction, and a collector looks for the addresses of blocks there.
 */
#define HOLD(value) __asm__ volatile("" : : "r"(value) : "memory")

/* The same value, of which the compiler knows nothing: what follows from it is not computed together with anything else. */
static ALWAYS_INLINE unsigned long apart(unsigned long value)
{
    __asm__("" : "+r"(value));
    return value;
}

#endif
