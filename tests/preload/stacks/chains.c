/*
 * Known chains of calls, compiled without frame pointers: the recorded stack of each block is the chain that was walked,
 * frame by frame, whatever allocated it and on whatever stack.
 *
 * Every function of a chain notes the address it returns to; the stack has to hold these, one after the other, behind the
 * frame of the one that allocates.
 */
#include "preload/stacks/recorded.h"
#include "property/random.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, STACK_BYTES = 65536 };

static _Thread_local void *returns[DEPTH_MAX + 1]; /* innermost first */
static volatile int after; /* what is behind a call keeps it from becoming a jump */

typedef void *allocate_function(size_t size_bytes);

#define NOTE_RETURN(depth) (returns[depth] = __builtin_return_address(0))

__attribute__((noinline)) static void *innermost(allocate_function *allocate, size_t size_bytes)
{
    NOTE_RETURN(0);
    void *block = allocate(size_bytes);
    after++;
    return block;
}

__attribute__((noinline)) static void *deeper(unsigned depth, allocate_function *allocate,
                                              size_t size_bytes)
{
    NOTE_RETURN(depth);
    void *block =
        depth == 1 ? innermost(allocate, size_bytes) : deeper(depth - 1, allocate, size_bytes);
    after++;
    return block;
}

/* Frames of a size known at run time only, and one whose stack is realigned: both keep a frame pointer of a kind. */
__attribute__((noinline)) static void *with_array(unsigned depth, allocate_function *allocate,
                                                  size_t size_bytes)
{
    volatile char *array = __builtin_alloca(size_bytes % 1000 + 1);
    NOTE_RETURN(depth);
    array[0] = 1;
    void *block = deeper(depth - 1, allocate, size_bytes);
    after += array[0];
    return block;
}

__attribute__((noinline)) static void *with_alignment(unsigned depth, allocate_function *allocate,
                                                      size_t size_bytes)
{
    volatile _Alignas(128) char aligned[128];
    volatile char *array = __builtin_alloca(size_bytes % 1000 + 1);
    NOTE_RETURN(depth);
    aligned[0] = array[0] = 1;
    require((uintptr_t)aligned % 128 == 0);
    void *block = with_array(depth - 1, allocate, size_bytes);
    after += aligned[0] + array[0];
    return block;
}

/* `own` frames of the library's callers may lie before the chain: this program's between innermost() and the library. */
static void expect_chain(void *block, unsigned depth, int own)
{
    require(block != NULL);
    const struct stack *stack = stack_of(block);
    unsigned most = recorded_tables()->frames_max - 1 - (unsigned)own;
    require(frames_find(stack, returns, depth + 1 < most ? depth + 1 : most) == own + 1);
    for (uint32_t i = 0; i <= (uint32_t)own; i++)
        require(strstr(frame_module(stack->frames[i])->path, "chains") != NULL);
}

static void walk(allocate_function *allocate, size_t size_bytes, int own)
{
    for (unsigned depth = 1; depth <= DEPTH_MAX; depth += depth < 8 ? 1 : 11) {
        void *block = deeper(depth, allocate, size_bytes);
        expect_chain(block, depth, own);
        if (depth >= 3) {
            free(block);
            block = with_alignment(depth, allocate, size_bytes);
            expect_chain(block, depth, own);
        }
        free(block);
    }
}

/* ---- a tree of calls ---- */

/*
 * Functions with frames of several kinds call each other at random, up to DEPTH_MAX deep; at every node the stack has to be
 * the path to it. So walks share some of their frames with the walk before, in all ways there are.
 */
static void *path[DEPTH_MAX]; /* outermost first */
static unsigned nodes_left;
static struct random chance;

static void plain_node(unsigned depth);
static void array_node(unsigned depth);
static void aligned_node(unsigned depth);

__attribute__((always_inline)) static inline void descend(unsigned depth)
{
    static void (*const kinds[])(unsigned depth) = {plain_node, array_node, aligned_node,
                                                    plain_node};
    kinds[random_below(&chance, 4)](depth);
}

__attribute__((noinline)) static void check_path(unsigned depth)
{
    void *block = malloc(40);
    const struct stack *stack = stack_of(block);
    uint32_t frames_max = recorded_tables()->frames_max;
    for (unsigned i = 0; i <= depth && i + 2 < frames_max; i++) {
        require(i + 2 < stack->frame_count);
        require(frame_address(stack->frames[i + 2]) == (uintptr_t)path[depth - i] - 1);
    }
    free(block);
}

/* Comes back a random number of times, from two places. */
__attribute__((always_inline)) static inline void visit(unsigned depth)
{
    while (nodes_left > 0 && depth + 1 < DEPTH_MAX && random_below(&chance, 40) != 0) {
        nodes_left--;
        if (random_below(&chance, 2) == 0)
            descend(depth + 1);
        else
            descend(depth + 1);
        if (random_below(&chance, 3) == 0)
            return;
    }
}

__attribute__((noinline)) static void plain_node(unsigned depth)
{
    path[depth] = __builtin_return_address(0);
    check_path(depth);
    visit(depth);
    after++;
}

__attribute__((noinline)) static void array_node(unsigned depth)
{
    volatile char *array = __builtin_alloca(1 + random_below(&chance, 100));
    path[depth] = __builtin_return_address(0);
    array[0] = 1;
    check_path(depth);
    visit(depth);
    after += array[0];
}

__attribute__((noinline)) static void aligned_node(unsigned depth)
{
    volatile _Alignas(64) char aligned[64];
    volatile char *array = __builtin_alloca(1 + random_below(&chance, 100));
    path[depth] = __builtin_return_address(0);
    aligned[0] = array[0] = 1;
    check_path(depth);
    visit(depth);
    after += aligned[0] + array[0];
}

static void tree(void)
{
    for (unsigned round = 0; round < 200; round++) {
        chance = (struct random){round};
        nodes_left = 300;
        descend(0);
    }
}

/* ---- what allocates ---- */

__attribute__((noinline)) static void *by_calloc(size_t size_bytes)
{
    void *block = calloc(1, size_bytes);
    after++;
    return block;
}

__attribute__((noinline)) static void *by_growing(size_t size_bytes)
{
    void *block = realloc(malloc(1), size_bytes);
    after++;
    return block;
}

/* Neither moves: in its slot, and in its units. */
__attribute__((noinline)) static void *in_place(size_t size_bytes)
{
    void *old = malloc(size_bytes + 1);
    uintptr_t before = (uintptr_t)old;
    void *block = realloc(old, size_bytes);
    require((uintptr_t)block == before);
    after++;
    return block;
}

__attribute__((noinline)) static void *by_alignment(size_t size_bytes)
{
    void *block = aligned_alloc(256, size_bytes);
    after++;
    return block;
}

__attribute__((noinline)) static void *by_page(size_t size_bytes)
{
    void *block = NULL;
    require(posix_memalign(&block, 65536, size_bytes) == 0);
    after++;
    return block;
}

static void every_way(void)
{
    static const size_t sizes[] = {1, 40, 700, 5000, 16382, 100000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        walk(malloc, sizes[i], 0);
        walk(by_calloc, sizes[i], 1);
        walk(by_growing, sizes[i], 1);
        if (sizes[i] >= 40) /* smaller ones leave a slot they hardly use */
            walk(in_place, sizes[i], 1);
        walk(by_alignment, sizes[i], 1);
        walk(by_page, sizes[i], 1);
    }
    void *block = malloc(100);
    require(record_of(block)->unused_bytes == 12);
    require(realloc(block, 105) == block);
    require(record_of(block)->unused_bytes == 7);
    free(block);
}

/* ---- on whatever stack ---- */

static void *on_thread(void *argument)
{
    uint16_t *number = argument;
    walk(malloc, 40, 0);
    walk(by_growing, 100000, 1);
    void *block = malloc(10);
    *number = record_of(block)->thread;
    require(recorded_tables()->threads->threads[*number].thread_id == gettid());
    free(block);
    return NULL;
}

static void threads(void)
{
    enum { COUNT = 16 };
    pthread_t threads[COUNT];
    uint16_t numbers[COUNT];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    for (int i = 0; i < COUNT; i++) {
        pthread_attr_setstacksize(&attributes, i % 2 == 0 ? STACK_BYTES * 16 : STACK_BYTES / 2);
        require(pthread_create(&threads[i], &attributes, on_thread, &numbers[i]) == 0);
    }
    for (int i = 0; i < COUNT; i++)
        require(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < i; k++)
            require(numbers[i] != numbers[k] && numbers[i] != 0);
}

static ucontext_t back, there;

static void on_context(void)
{
    walk(malloc, 40, 0);
}

/* The mapping above is gone the moment the stack is used: nothing behind its end may be looked at. */
static void contexts(void)
{
    for (int i = 0; i < 50; i++) {
        char *stack =
            mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(stack != MAP_FAILED);
        require(munmap(stack + STACK_BYTES, STACK_BYTES) == 0);
        require(getcontext(&there) == 0);
        there.uc_stack.ss_sp = stack;
        there.uc_stack.ss_size = STACK_BYTES;
        there.uc_link = &back;
        makecontext(&there, on_context, 0);
        require(swapcontext(&back, &there) == 0);
        require(munmap(stack, STACK_BYTES) == 0);
    }
}

/* ---- signals ---- */

static void *in_handler;
static void *interrupted[2];

static void on_signal(int number)
{
    (void)number;
    in_handler = malloc(40);
    after++;
}

__attribute__((noinline)) static void raise_inside(void)
{
    NOTE_RETURN(0);
    raise(SIGUSR1);
    after++;
}

__attribute__((noinline)) static void raise_outside(void)
{
    NOTE_RETURN(1);
    raise_inside();
    after++;
}

/* The handler's block shows what the signal has interrupted, though on an alternate stack. */
static void signals(void)
{
    for (int alternate = 0; alternate < 2; alternate++) {
        static char room[STACK_BYTES];
        stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = alternate ? SA_ONSTACK : 0};
        require(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
        raise_outside();
        interrupted[0] = returns[0];
        interrupted[1] = returns[1];
        require(frames_find(stack_of(in_handler), interrupted, 2) >= 3);
        free(in_handler);
    }
}

/* Signals that come wherever they like. Blocks of the handler's own would need malloc to be safe there; other threads' do not. */
static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    (void)number;
    ticks = ticks + 1;
}

static void interruptions(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    require(sigaction(SIGALRM, &action, NULL) == 0);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec often = {{0, 100000}, {0, 100000}};
    require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
            timer_settime(timer, 0, &often, NULL) == 0);
    while (ticks < 200)
        walk(malloc, 40, 0);
    require(timer_delete(timer) == 0);
}

/* ---- forks ---- */

static void *allocate_on(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE))
        walk(by_growing, 3000, 1);
    return NULL;
}

static void forks(void)
{
    int stop = 0;
    pthread_t other;
    require(pthread_create(&other, NULL, allocate_on, &stop) == 0);
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();
        require(child >= 0);
        if (child == 0) {
            every_way();
            void *block = malloc(1);
            require(recorded_tables()->threads->threads[record_of(block)->thread].thread_id ==
                    getpid());
            _exit(0);
        }
        int status;
        require(waitpid(child, &status, 0) == child && status == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    require(pthread_join(other, NULL) == 0);
}

/* ---- the rest ---- */

__attribute__((noinline)) static void *recurse(unsigned depth)
{
    void *block = depth == 0 ? malloc(40) : recurse(depth - 1);
    after++;
    return block;
}

static void deep_recursion(void)
{
    void *block = recurse(100000);
    const struct stack *stack = stack_of(block);
    require(stack->frame_count == recorded_tables()->frames_max);
    free(block);
}

static int compare(const void *a, const void *b)
{
    free(malloc(33));
    return *(const int *)a - *(const int *)b;
}

/* A stack is there once, however often it is taken. */
static void deduplicated(void)
{
    int numbers[100];
    uint32_t before = 0;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 100; i++)
            numbers[i] = i * 37 % 100;
        qsort(numbers, 100, sizeof *numbers, compare);
        if (round == 0)
            before = recorded_tables()->stacks->count;
    }
    require(recorded_tables()->stacks->count == before);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"tree", tree},
        {"every_way", every_way},
        {"threads", threads},
        {"contexts", contexts},
        {"signals", signals},
        {"forks", forks},
        {"interruptions", interruptions},
        {"deep_recursion", deep_recursion},
        {"deduplicated", deduplicated},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (count < 2 || strcmp(arguments[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
