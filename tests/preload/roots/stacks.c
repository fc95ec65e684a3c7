/* roots/stacks: stacks that are not a thread's own: of coroutines, of signal handlers; and what setjmp() keeps. */
#include "places.h"

#include "support/require.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static ucontext_t main_context, other_context;
static char *stack;
static void (*check_now)(void);

static void map_stack(void)
{
    stack = mmap(NULL, AREA_BYTES * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(stack != MAP_FAILED);
}

static void allocate_stack(void)
{
    stack = malloc(AREA_BYTES * 4);
    require(stack != NULL);
}

static void hold_and_switch(void)
{
    uintptr_t words[BLOCKS];
    fill_words(words, 0, BLOCKS);
    wipe();
    require(swapcontext(&other_context, &main_context) == 0);
    memset(words, 0, sizeof words);
    touch(words);
}

/* The context, a global, is all that leads to the stack, which may be a block. */
static void start_context(void)
{
    require(getcontext(&other_context) == 0);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = AREA_BYTES * 4;
    other_context.uc_link = &main_context;
    makecontext(&other_context, hold_and_switch, 0);
    stack = NULL;
    require(swapcontext(&main_context, &other_context) == 0);
}

static void end_context(void)
{
    require(swapcontext(&main_context, &other_context) == 0);
}

/* While a context runs, its words and those of the frames it was started from both count. */
static void hold_and_check(void)
{
    uintptr_t words[BLOCKS / 2];
    fill_words(words, 0, BLOCKS / 2);
    check_now();
    memset(words, 0, sizeof words);
    touch(words);
}

static void run_context(void (*check)(void))
{
    uintptr_t words[BLOCKS / 2];
    check_now = check;
    fill_words(words, BLOCKS / 2, BLOCKS / 2);
    require(getcontext(&other_context) == 0);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = AREA_BYTES * 4;
    other_context.uc_link = &main_context;
    makecontext(&other_context, hold_and_check, 0);
    require(swapcontext(&main_context, &other_context) == 0);
    touch(words);
}

static void on_signal(int number)
{
    (void)number;
    hold_and_check();
}

static void set_alternate_stack(void *start, size_t size_bytes)
{
    stack_t alternate = {.ss_sp = start, .ss_size = size_bytes};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    require(sigaltstack(&alternate, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
}

/* The interrupted frames are on the normal stack, and live. */
__attribute__((noinline)) static void hold_and_raise(void)
{
    uintptr_t words[BLOCKS / 2];
    fill_words(words, BLOCKS / 2, BLOCKS / 2);
    raise(SIGUSR1);
    touch(words);
}

static void run_handler(void (*check)(void))
{
    check_now = check;
    set_alternate_stack(stack, AREA_BYTES * 4);
    hold_and_raise();
}

/* The alternate stack is an array in a frame: those called from there lie below it. */
static void run_handler_within_stack(void (*check)(void))
{
    char room[AREA_BYTES * 4];
    check_now = check;
    set_alternate_stack(room, sizeof room);
    hold_and_raise();
    touch(room);
}

enum { OWNERS = 20 };

static int ready[2], leave[2];
static uintptr_t hidden_stacks[OWNERS];

/* Only the kernel knows where the alternate stack is. */
__attribute__((noinline)) static void give_stack_away(size_t index)
{
    stack_t alternate = {.ss_sp = malloc(AREA_BYTES), .ss_size = AREA_BYTES};
    require(alternate.ss_sp != NULL && sigaltstack(&alternate, NULL) == 0);
    hidden_stacks[index] = hide((uintptr_t)alternate.ss_sp);
    alternate.ss_sp = NULL;
    touch(&alternate);
}

static void *wait_with_alternate_stack(void *argument)
{
    give_stack_away((size_t)argument);
    wipe();
    require(write(ready[1], "r", 1) == 1);
    wait_for_byte(leave[0]);
    return argument;
}

static void run_stacks_only_the_kernel_knows(void (*check)(void))
{
    pthread_t threads[OWNERS];
    uintptr_t words[BLOCKS];
    fill_words(words, 0, BLOCKS);
    require(pipe(ready) == 0 && pipe(leave) == 0);
    for (size_t i = 1; i < OWNERS; i++)
        require(pthread_create(&threads[i], NULL, wait_with_alternate_stack, (void *)i) == 0);
    give_stack_away(0);
    for (size_t i = 1; i < OWNERS; i++)
        wait_for_byte(ready[0]);
    check();
    for (size_t i = 0; i < OWNERS; i++)
        require(is_there(hidden_stacks[i]));
    for (size_t i = 1; i < OWNERS; i++)
        require(write(leave[1], "l", 1) == 1);
    for (size_t i = 1; i < OWNERS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    touch(words);
}

#if defined(__x86_64__)

/* A coroutine switch as libraries write it: six registers on the stack, whose pointer is all that is kept. */
static void *main_stack_pointer, *other_stack_pointer;

__attribute__((naked, noinline)) static void switch_stacks(void **save __attribute__((unused)),
                                                          void **load __attribute__((unused)))
{
    __asm__("push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
            "mov %rsp, (%rdi)\n\t"
            "mov (%rsi), %rsp\n\t"
            "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\t"
            "ret");
}

static void coroutine_holds(void)
{
    uintptr_t words[BLOCKS];
    fill_words(words, 0, BLOCKS);
    wipe();
    switch_stacks(&other_stack_pointer, &main_stack_pointer);
    memset(words, 0, sizeof words);
    touch(words);
    switch_stacks(&other_stack_pointer, &main_stack_pointer);
}

static void coroutine_checks(void)
{
    uintptr_t hidden = hide((uintptr_t)stack);
    stack = NULL;
    other_stack_pointer = NULL;
    hold_and_check();
    require(is_there(hidden));
    switch_stacks(&other_stack_pointer, &main_stack_pointer);
}

static void set_up_coroutine(void (*function)(void))
{
    uintptr_t *top = (uintptr_t *)(stack + AREA_BYTES * 4 - 64);
    top[6] = (uintptr_t)function;
    memset(top, 0, 6 * sizeof *top);
    other_stack_pointer = top;
}

static void start_coroutine(void)
{
    set_up_coroutine(coroutine_holds);
    stack = NULL;
    switch_stacks(&main_stack_pointer, &other_stack_pointer);
}

static void end_coroutine(void)
{
    switch_stacks(&main_stack_pointer, &other_stack_pointer);
}

/* It runs on a block that only the stack pointer points to. */
static void run_coroutine(void (*check)(void))
{
    uintptr_t words[BLOCKS / 2];
    check_now = check;
    fill_words(words, BLOCKS / 2, BLOCKS / 2);
    set_up_coroutine(coroutine_checks);
    switch_stacks(&main_stack_pointer, &other_stack_pointer);
    touch(words);
}

/* setjmp() keeps this register mangled, and it is no frame pointer where programs are compiled without them. */
static jmp_buf jumps[BLOCKS];

static void put_jump(size_t index, uintptr_t block)
{
    __asm__ volatile("mov %%rbp, %%r12\n\t"
                     "mov %[block], %%rbp\n\t"
                     "xor %[block], %[block]\n\t"
                     "mov %%rsp, %%r13\n\t"
                     "sub $256, %%rsp\n\t"
                     "and $-16, %%rsp\n\t"
                     "call _setjmp@PLT\n\t"
                     "mov %%r13, %%rsp\n\t"
                     "mov %%r12, %%rbp\n\t"
                     : [block] "+r"(block)
                     : "D"(&jumps[index])
                     : "r12", "r13", "rsi", "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
}

static void clear_jumps(void)
{
    memset(jumps, 0, sizeof jumps);
}

#endif

const struct place stack_places[] = {
    {"context on a mapped stack", map_stack, NULL, start_context, end_context, 0, NULL},
    {"context on a block", allocate_stack, NULL, start_context, end_context, 0, NULL},
    {"running context on a mapped stack", map_stack, NULL, NULL, NULL, 0, run_context},
    {"running context on a block", allocate_stack, NULL, NULL, NULL, 0, run_context},
    {"handler on a mapped alternate stack", map_stack, NULL, NULL, NULL, 0, run_handler},
    {"handler on a block", allocate_stack, NULL, NULL, NULL, 0, run_handler},
    {"handler on a stack within the stack", NULL, NULL, NULL, NULL, 0, run_handler_within_stack},
    {"alternate stacks only the kernel knows", NULL, NULL, NULL, NULL, 0, run_stacks_only_the_kernel_knows},
#if defined(__x86_64__)
    {"coroutine on a mapped stack", map_stack, NULL, start_coroutine, end_coroutine, 0, NULL},
    {"coroutine on a block", allocate_stack, NULL, start_coroutine, end_coroutine, 0, NULL},
    {"running coroutine on a block", allocate_stack, NULL, NULL, NULL, 0, run_coroutine},
    {"frame pointer that setjmp mangled", NULL, put_jump, NULL, clear_jumps, 0, NULL},
#endif
    {NULL, NULL, NULL, NULL, NULL, 0, NULL},
};
