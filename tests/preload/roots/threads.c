/* roots/threads: stacks, registers and thread-local storage of threads however they were made, and what they leave. */
#include "places.h"

#include "support/require.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

enum { KEYS_FIRST = 20, STACK_BYTES = 262144 };

static pthread_key_t keys[BLOCKS];

static void make_first_keys(void)
{
    for (size_t i = 0; i < KEYS_FIRST; i++)
        require(pthread_key_create(&keys[i], NULL) == 0);
}

/* Beyond the 32 that a thread's control block has room for. */
static void make_later_keys(void)
{
    pthread_key_t spare;
    for (size_t i = 0; i < 32; i++)
        require(pthread_key_create(&spare, NULL) == 0);
    for (size_t i = 0; i < BLOCKS; i++)
        require(pthread_key_create(&keys[i], NULL) == 0);
}

static void put_specific(size_t index, uintptr_t block)
{
    require(pthread_setspecific(keys[index], (void *)block) == 0);
}

static void delete_first_keys(void)
{
    for (size_t i = 0; i < KEYS_FIRST; i++)
        pthread_setspecific(keys[i], NULL);
}

static void delete_later_keys(void)
{
    for (size_t i = 0; i < BLOCKS; i++)
        pthread_setspecific(keys[i], NULL);
}

/* Threads say that they are ready, then wait to be let go. */
static int ready[2], leave[2];
static pthread_t threads[BLOCKS];
static size_t thread_count;

static void open_pipes(void)
{
    require(pipe(ready) == 0 && pipe(leave) == 0);
}

static void say_ready(void)
{
    require(write(ready[1], "r", 1) == 1);
}

static void start_threads(size_t count, void *(*function)(void *))
{
    for (thread_count = 0; thread_count < count; thread_count++)
        require(pthread_create(&threads[thread_count], NULL, function, (void *)thread_count) == 0);
    for (size_t i = 0; i < count; i++)
        wait_for_byte(ready[0]);
}

static void end_threads(void)
{
    for (size_t i = 0; i < thread_count; i++)
        require(write(leave[1], "l", 1) == 1);
    for (size_t i = 0; i < thread_count; i++)
        require(pthread_join(threads[i], NULL) == 0);
}

static void hold_on_stack(void)
{
    uintptr_t words[BLOCKS];
    fill_words(words, 0, BLOCKS);
    wipe();
    say_ready();
    wait_for_byte(leave[0]);
    touch(words);
}

static void *hold_on_pthread_stack(void *argument)
{
    hold_on_stack();
    wipe();
    return argument;
}

static void start_pthread(void)
{
    start_threads(1, hold_on_pthread_stack);
}

static int hold_on_c11_stack(void *argument)
{
    (void)argument;
    hold_on_stack();
    wipe();
    return 0;
}

static thrd_t c11_thread;

static void start_c11_thread(void)
{
    require(thrd_create(&c11_thread, hold_on_c11_stack, NULL) == thrd_success);
    wait_for_byte(ready[0]);
}

static void end_c11_thread(void)
{
    require(write(leave[1], "l", 1) == 1);
    require(thrd_join(c11_thread, NULL) == thrd_success);
}

static uintptr_t words_in_thread[BLOCKS];
static _Thread_local uintptr_t thread_words[BLOCKS];

static void *hold_in_thread_local(void *argument)
{
    fill_words(thread_words, 0, BLOCKS);
    wipe();
    say_ready();
    wait_for_byte(leave[0]);
    memset(thread_words, 0, sizeof thread_words);
    return argument;
}

static void start_thread_local(void)
{
    start_threads(1, hold_in_thread_local);
}

#if defined(__x86_64__)

/*
 * A thread that libc knows nothing of, without thread-local storage of its own: all that it does is written out. Its
 * stack is a mapping, and the words are nowhere else.
 */
static char *raw_stack;
static int raw_child;
static _Atomic int raw_tid = 1;
static char raw_byte;

__attribute__((naked, noinline)) static long clone_raw(long flags __attribute__((unused)),
                                                      void *stack __attribute__((unused)),
                                                      int *child_id __attribute__((unused)))
{
    __asm__("mov $56, %eax\n\t"
            "mov %rdx, %r10\n\t" /* child_tid */
            "xor %edx, %edx\n\t"
            "xor %r8d, %r8d\n\t"
            "syscall\n\t"
            "test %eax, %eax\n\t"
            "jnz 1f\n\t"
            "mov 8(%rsp), %rdi\n\t" /* the reading end, from the new stack */
            "mov (%rsp), %rsi\n\t"
            "mov $1, %edx\n\t"
            "xor %eax, %eax\n\t"
            "syscall\n\t" /* read() */
            "xor %edi, %edi\n\t"
            "mov $60, %eax\n\t"
            "syscall\n\t" /* exit() of this thread alone */
            "1: ret");
}

static void start_raw_thread(void)
{
    raw_stack = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(raw_stack != MAP_FAILED);
    uintptr_t *top = (uintptr_t *)(raw_stack + AREA_BYTES) - BLOCKS - 16;
    top[0] = (uintptr_t)&raw_byte;
    top[1] = (uintptr_t)leave[0];
    fill_words(top + 2, 0, BLOCKS);
    long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
    raw_child = (int)clone_raw(flags, top, (int *)&raw_tid);
    require(raw_child > 0);
}

static void end_raw_thread(void)
{
    require(write(leave[1], "l", 1) == 1);
    while (atomic_load(&raw_tid) != 0)
        sched_yield();
    require(munmap(raw_stack, AREA_BYTES) == 0);
}

enum { SAVED_REGISTERS = 5, SAVED_THREADS = BLOCKS / SAVED_REGISTERS };

/* In registers that calls preserve, of a thread that waits in the kernel. Hidden words become addresses only there. */
static void *hold_in_saved_registers(void *argument)
{
    uintptr_t hidden[SAVED_REGISTERS];
    fill_words(hidden, (size_t)argument * SAVED_REGISTERS, SAVED_REGISTERS);
    for (size_t i = 0; i < SAVED_REGISTERS; i++)
        hidden[i] = hide(hidden[i]);
    char byte = 'r';
    uintptr_t *words = hidden;
    wipe();
    register long ready_end __asm__("r8") = ready[1]; /* no call from here on */
    register long leave_end __asm__("r9") = leave[0];
    /* It says that it is ready when the registers hold the addresses, not before: write(), then read(). */
    __asm__ volatile("mov (%[hidden]), %%rbx\n\t"
                     "mov 8(%[hidden]), %%r12\n\t"
                     "mov 16(%[hidden]), %%r13\n\t"
                     "mov 24(%[hidden]), %%r14\n\t"
                     "mov 32(%[hidden]), %%r15\n\t"
                     "not %%rbx\n\tnot %%r12\n\tnot %%r13\n\tnot %%r14\n\tnot %%r15\n\t"
                     "mov %[ready], %%rdi\n\tmov $1, %%eax\n\tsyscall\n\t"
                     "mov %[leave], %%rdi\n\txor %%eax, %%eax\n\tsyscall\n\t"
                     "xor %%ebx, %%ebx\n\txor %%r12, %%r12\n\txor %%r13, %%r13\n\t"
                     "xor %%r14, %%r14\n\txor %%r15, %%r15\n\t"
                     : [hidden] "+a"(words)
                     : [ready] "r"(ready_end), [leave] "r"(leave_end), "S"(&byte), "d"(1)
                     : "rbx", "r12", "r13", "r14", "r15", "rdi", "rcx", "r11", "memory", "cc");
    wipe();
    return argument;
}

static void start_saved_registers(void)
{
    start_threads(SAVED_THREADS, hold_in_saved_registers);
}

/* In the vector registers of threads that run. */
enum { VECTOR_WORDS = 64, VECTOR_THREADS = 4 };

static _Alignas(64) const uintptr_t all_ones[8] = {~(uintptr_t)0, ~(uintptr_t)0, ~(uintptr_t)0, ~(uintptr_t)0,
                                                   ~(uintptr_t)0, ~(uintptr_t)0, ~(uintptr_t)0, ~(uintptr_t)0};
static volatile int may_leave;
static volatile int spinning[VECTOR_THREADS];

#define LOAD(number, offset)                                                                                          \
    "vmovdqu " #offset "(%[hidden]), %%ymm" #number "\n\tvpxor (%[ones]), %%ymm" #number ", %%ymm" #number "\n\t"

static void *hold_in_vector_registers(void *argument)
{
    _Alignas(32) uintptr_t hidden[VECTOR_WORDS];
    fill_words(hidden, (size_t)argument * VECTOR_WORDS, VECTOR_WORDS);
    for (size_t i = 0; i < VECTOR_WORDS; i++)
        hidden[i] = hide(hidden[i]);
    wipe();
    __asm__ volatile(LOAD(0, 0) LOAD(1, 32) LOAD(2, 64) LOAD(3, 96) LOAD(4, 128) LOAD(5, 160) LOAD(6, 192) LOAD(7, 224)
                         LOAD(8, 256) LOAD(9, 288) LOAD(10, 320) LOAD(11, 352) LOAD(12, 384) LOAD(13, 416)
                             LOAD(14, 448) LOAD(15, 480) "movl $1, (%[spinning])\n"
                     "1: pause\n\tcmpl $0, %[leave]\n\tje 1b\n\tvzeroall\n\t"
                     :
                     : [hidden] "r"(hidden), [ones] "r"(all_ones), [leave] "m"(may_leave),
                       [spinning] "r"(&spinning[(size_t)argument])
                     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    wipe();
    return argument;
}

static void start_vector_registers(void)
{
    for (thread_count = 0; thread_count < VECTOR_THREADS; thread_count++)
        require(pthread_create(&threads[thread_count], NULL, hold_in_vector_registers, (void *)thread_count) == 0);
    for (size_t i = 0; i < VECTOR_THREADS; i++)
        while (!spinning[i])
            sched_yield();
}

static void end_vector_registers(void)
{
    may_leave = 1;
    for (size_t i = 0; i < VECTOR_THREADS; i++)
        require(pthread_join(threads[i], NULL) == 0);
}

#endif

static size_t count_threads(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    require(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

static void *return_block(void *argument)
{
    return (void *)kept_block((size_t)argument);
}

/* All have ended, and nobody has asked for what they returned. */
static void start_returning(void)
{
    pthread_attr_t attributes;
    require(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    for (size_t i = 0; i < BLOCKS; i++)
        require(pthread_create(&threads[i], &attributes, return_block, (void *)i) == 0);
    pthread_attr_destroy(&attributes);
    while (count_threads() > 1)
        sched_yield();
}

/* A thread's control block keeps its result until another thread gets it; so others must. */
static void *write_over(void *argument)
{
    wipe();
    return argument;
}

static void end_returning(void)
{
    pthread_attr_t attributes;
    for (size_t i = 0; i < BLOCKS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    require(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    for (size_t i = 0; i < BLOCKS; i++)
        require(pthread_create(&threads[i], &attributes, write_over, NULL) == 0);
    pthread_attr_destroy(&attributes);
    for (size_t i = 0; i < BLOCKS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    memset(words_in_thread, 0, sizeof words_in_thread);
}

const struct place thread_places[] = {
    {"thread-specific data of the first keys", make_first_keys, put_specific, NULL, delete_first_keys, KEYS_FIRST, NULL},
    {"thread-specific data of later keys", make_later_keys, put_specific, NULL, delete_later_keys, 0, NULL},
    {"stack of a thread", open_pipes, NULL, start_pthread, end_threads, 0, NULL},
    {"stack of a C11 thread", open_pipes, NULL, start_c11_thread, end_c11_thread, 0, NULL},
    {"thread-local storage of a thread", open_pipes, NULL, start_thread_local, end_threads, 0, NULL},
#if defined(__x86_64__)
    {"stack of a thread unknown to libc", open_pipes, NULL, start_raw_thread, end_raw_thread, 0, NULL},
    {"registers of a waiting thread", open_pipes, NULL, start_saved_registers, end_threads, 0, NULL},
    {"vector registers of a running thread", open_pipes, NULL, start_vector_registers, end_vector_registers,
     VECTOR_WORDS * VECTOR_THREADS, NULL},
#endif
    {"results of threads not joined", NULL, NULL, start_returning, end_returning, 0, NULL},
    {NULL, NULL, NULL, NULL, NULL, 0, NULL},
};
