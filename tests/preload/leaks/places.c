/*
 * leaks/places: a shape in a place: kept there, or lost from there. Says how many blocks should be reported lost.
 *
 *     places                         lists the shapes, an empty line, and the places
 *     places SHAPE PLACE keep|lose
 *
 * Nothing else is lost: what a place needs for itself is freed or static.
 */
#include "preload/leaks/shapes.h"
#include "support/require.h"
#include "support/threads.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, STACK_BYTES = 65536 };

static const struct shape *shape;
static bool keeps;

static void *volatile global;
static __thread void *volatile local_to_thread;

struct place {
    const char *name;
    void (*act)(void);
    bool by_kernel; /* what is kept, the kernel keeps */
};

__attribute__((noinline)) static void *make(void)
{
    return shape->make();
}

/* Where a thread goes on, what it has left on its stack may still lie in the frames of what it calls. */
__attribute__((noinline)) static void clear_stack(void)
{
    volatile char room[16384];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
    char text[64];
    snprintf(text, sizeof text, "%f %d %s", 1.5, 7, "registers"); /* as well */
}

/* ---- variables ---- */

static void in_a_variable(void)
{
    void *made = make();
    if (keeps)
        global = made;
}

static void in_a_variable_overwritten(void)
{
    global = make();
    if (!keeps)
        global = NULL;
}

static void in_thread_local(void)
{
    local_to_thread = make();
    if (!keeps)
        local_to_thread = NULL;
}

static void in_a_block(void)
{
    static void **volatile holder;
    holder = calloc(1, 500);
    require(holder != NULL);
    holder[30] = make();
    if (keeps)
        return;
    free(holder);
    holder = NULL;
}

static void in_a_block_overwritten(void)
{
    static void **volatile holder;
    holder = calloc(1, 500);
    require(holder != NULL);
    holder[30] = make();
    if (!keeps)
        holder[30] = holder;
}

static void in_a_mapping(void)
{
    void **page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(page != MAP_FAILED);
    page[100] = make();
    if (!keeps)
        require(munmap(page, PAGE_BYTES) == 0);
}

static void in_shared_memory(void)
{
    void **page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(page != MAP_FAILED);
    page[100] = make();
    if (!keeps)
        page[100] = NULL;
}

static void in_unreadable_memory(void)
{
    void **page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(page != MAP_FAILED);
    page[7] = make();
    if (!keeps)
        page[7] = NULL;
    require(mprotect(page, PAGE_BYTES, PROT_NONE) == 0);
}

static void in_the_environment(void)
{
    static char name[] = "PLACE=x";
    static char *variables[3];
    variables[0] = name;
    variables[1] = make();
    environ = variables;
    if (!keeps)
        variables[1] = NULL;
}

static void with_a_tag(void)
{
    global = (void *)((size_t)make() | (size_t)0x5a << 56);
    if (!keeps)
        global = (void *)((size_t)0x5a << 56);
}

__attribute__((noinline)) static void deeper(unsigned depth)
{
    volatile char room[200];
    room[0] = (char)depth;
    if (depth > 0)
        deeper(depth - 1);
    else
        in_a_variable();
    room[1] = room[0];
}

/* ---- threads ---- */

static pthread_barrier_t both_are_there;
static _Atomic int other_thread;

static void *wait_for_ever(void *unused)
{
    (void)unused;
    void *volatile made = NULL;
    if (keeps)
        made = make();
    else
        deeper(100); /* far below where the thread waits */
    clear_stack();
    pthread_barrier_wait(&both_are_there);
    other_thread = gettid();
    for (;;)
        pause();
    return made;
}

static void on_a_running_threads_stack(void)
{
    pthread_t thread;
    require(pthread_barrier_init(&both_are_there, NULL, 2) == 0);
    require(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
    pthread_barrier_wait(&both_are_there);
    thread_await_sleep(&other_thread); /* else its vector registers count, whatever they were last used for */
}

static void *make_in_thread(void *unused)
{
    void *volatile made = make();
    local_to_thread = made;
    if (keeps)
        global = made;
    return unused;
}

static void in_a_thread_that_was_joined(void)
{
    pthread_t thread;
    require(pthread_create(&thread, NULL, make_in_thread, NULL) == 0);
    require(pthread_join(thread, NULL) == 0);
}

static void in_a_thread_that_was_cancelled(void)
{
    pthread_t thread;
    require(pthread_barrier_init(&both_are_there, NULL, 2) == 0);
    bool really_keeps = keeps;
    keeps = true; /* on its stack, until that goes */
    require(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
    pthread_barrier_wait(&both_are_there);
    keeps = really_keeps;
    if (keeps)
        return;
    require(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
}

static void *end_by_exit(void *unused)
{
    make_in_thread(unused);
    pthread_exit(NULL);
}

static void in_a_thread_that_exited(void)
{
    pthread_t thread;
    require(pthread_create(&thread, NULL, end_by_exit, NULL) == 0);
    require(pthread_join(thread, NULL) == 0);
}

static void *return_made(void *unused)
{
    (void)unused;
    other_thread = gettid();
    return make();
}

/* Until it is joined, what it returned can be had. */
static void as_a_threads_result(void)
{
    static pthread_t thread;
    require(pthread_create(&thread, NULL, return_made, NULL) == 0);
    if (!keeps)
        require(pthread_join(thread, NULL) == 0);
    else
        thread_await_end(&other_thread);
}

static pthread_key_t key;

static void *set_specific(void *unused)
{
    require(pthread_setspecific(key, make()) == 0);
    return unused;
}

static void as_thread_specific_data(void)
{
    pthread_t thread;
    require(pthread_key_create(&key, NULL) == 0);
    if (keeps) {
        set_specific(NULL);
        return;
    }
    require(pthread_create(&thread, NULL, set_specific, NULL) == 0);
    require(pthread_join(thread, NULL) == 0);
}

/* ---- other stacks ---- */

static ucontext_t main_context;
static ucontext_t own_context;
static char *volatile own_stack;

static void on_own_stack(void)
{
    void *volatile made = make();
    if (!keeps)
        made = NULL;
    swapcontext(&own_context, &main_context);
    free(made);
}

static void on_a_coroutines_stack(void)
{
    own_stack = malloc(STACK_BYTES);
    require(own_stack != NULL && getcontext(&own_context) == 0);
    own_context.uc_stack.ss_sp = own_stack;
    own_context.uc_stack.ss_size = STACK_BYTES;
    own_context.uc_link = NULL;
    makecontext(&own_context, on_own_stack, 0);
    require(swapcontext(&main_context, &own_context) == 0);
    if (keeps)
        return;
    free(own_stack);
    own_stack = NULL;
    memset(&own_context, 0, sizeof own_context);
}

static void handle(int number)
{
    (void)number;
    void *made = make();
    if (keeps)
        global = made;
}

static void in_a_signal_handler(void)
{
    require(signal(SIGUSR1, handle) != SIG_ERR && raise(SIGUSR1) == 0);
}

static jmp_buf way_back;

__attribute__((noinline)) static void leave(void)
{
    void *volatile made = make();
    if (keeps)
        global = made;
    longjmp(way_back, 1);
}

static void left_by_longjmp(void)
{
    if (setjmp(way_back) == 0)
        leave();
}

static void in_a_deep_recursion(void)
{
    deeper(5000);
}

/* ---- kernel ---- */

static void in_epoll(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int event = eventfd(0, EFD_CLOEXEC);
    require(epoll >= 0 && event >= 0);
    struct epoll_event events = {.events = EPOLLIN, .data.ptr = make()};
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &events) == 0);
    events.data.ptr = NULL;
    if (!keeps)
        require(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL) == 0);
}

static void in_a_timer(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_ptr = make();
    require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    event.sigev_value.sival_ptr = NULL;
    if (!keeps)
        require(timer_delete(timer) == 0);
}

static void in_a_pipe(void)
{
    static int ends[2];
    require(pipe(ends) == 0);
    void *made = make();
    require(write(ends[1], &made, sizeof made) == sizeof made);
    if (!keeps)
        require(read(ends[0], &made, sizeof made) == sizeof made);
    made = NULL;
}

/* ---- other moments ---- */

static void in_an_exit_handler(void)
{
    atexit(in_a_variable);
}

static bool in_destructor;

__attribute__((destructor)) static void at_unloading(void)
{
    if (in_destructor)
        in_a_variable();
}

static void in_a_destructor(void)
{
    in_destructor = true;
}

static void before_exit_in_a_call(void)
{
    in_a_variable();
    exit(0);
}

static void *end_all(void *unused)
{
    (void)unused;
    in_a_variable();
    exit(0);
}

static void before_exit_in_a_thread(void)
{
    pthread_t thread;
    require(pthread_create(&thread, NULL, end_all, NULL) == 0);
    for (;;)
        pause();
}

static void before_underscore_exit(void)
{
    in_a_variable();
    fflush(stdout);
    _exit(0);
}

static void before_quick_exit(void)
{
    in_a_variable();
    fflush(stdout);
    quick_exit(0);
}

static void in_the_child_of_a_fork(void)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        in_a_variable();
        exit(0);
    }
    require(waitpid(child, &status, 0) == child && WIFEXITED(status));
    _exit(WEXITSTATUS(status)); /* with the child's status; this process has lost nothing */
}

static void with_stderr_closed(void)
{
    in_a_variable();
    close(STDERR_FILENO);
}

static void with_all_files_closed(void)
{
    in_a_variable();
    fflush(stdout);
    for (int i = 0; i < 1024; i++)
        close(i);
}

static const struct place places[] = {
    {"in_a_variable", in_a_variable, false},
    {"in_a_variable_overwritten", in_a_variable_overwritten, false},
    {"in_thread_local", in_thread_local, false},
    {"in_a_block", in_a_block, false},
    {"in_a_block_overwritten", in_a_block_overwritten, false},
    {"in_a_mapping", in_a_mapping, false},
    {"in_shared_memory", in_shared_memory, false},
    {"in_unreadable_memory", in_unreadable_memory, false},
    {"in_the_environment", in_the_environment, false},
    {"with_a_tag", with_a_tag, false},
    {"on_a_running_threads_stack", on_a_running_threads_stack, false},
    {"in_a_thread_that_was_joined", in_a_thread_that_was_joined, false},
    {"in_a_thread_that_was_cancelled", in_a_thread_that_was_cancelled, false},
    {"in_a_thread_that_exited", in_a_thread_that_exited, false},
    {"as_a_threads_result", as_a_threads_result, false},
    {"as_thread_specific_data", as_thread_specific_data, false},
    {"on_a_coroutines_stack", on_a_coroutines_stack, false},
    {"in_a_signal_handler", in_a_signal_handler, false},
    {"left_by_longjmp", left_by_longjmp, false},
    {"in_a_deep_recursion", in_a_deep_recursion, false},
    {"in_epoll", in_epoll, true},
    {"in_a_timer", in_a_timer, true},
    {"in_a_pipe", in_a_pipe, true},
    {"in_an_exit_handler", in_an_exit_handler, false},
    {"in_a_destructor", in_a_destructor, false},
    {"before_exit_in_a_call", before_exit_in_a_call, false},
    {"before_exit_in_a_thread", before_exit_in_a_thread, false},
    {"before_underscore_exit", before_underscore_exit, false},
    {"before_quick_exit", before_quick_exit, false},
    {"in_the_child_of_a_fork", in_the_child_of_a_fork, false},
    {"with_stderr_closed", with_stderr_closed, false},
    {"with_all_files_closed", with_all_files_closed, false},
};

static int list_all(void)
{
    for (size_t i = 0; i < shape_count; i++)
        printf("%s %zu %zu %zu\n", shapes[i].name, shapes[i].heads, shapes[i].indirect, shapes[i].inner);
    printf("\n");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        printf("%s %d\n", places[i].name, places[i].by_kernel);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 1)
        return list_all();
    require(count == 4);
    shape = shape_find(arguments[1]);
    keeps = strcmp(arguments[3], "keep") == 0;
    require(shape != NULL);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].name, arguments[2]) == 0) {
            printf("acting\n");
            places[i].act();
            return 0;
        }
    return 99;
}
