/*
 * gc/roots: every place that can hold a pointer is seen, what holds none is not touched, and nothing else counts.
 *
 * The words that must be found are addresses inside one large block. They are made from a number that is hidden, just
 * before they are written to the place under test; a scan before that must find none.
 */
#include "base/image.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "heap/allocate.h"
#include "os/pagemap.h"
#include "os/thread.h"
#include "support/refuse.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { WORDS = 300, WORD_STEP = 64, PAGE = 4096 };

static const uintptr_t key = (uintptr_t)0x5a5a5a5a5a5a5a5a;
static uintptr_t hidden_base;
static unsigned char hits[WORDS];
static int scan_result;

static uintptr_t word(size_t index)
{
    return (hidden_base ^ key) + index * WORD_STEP + 8;
}

static void look(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)context;
    uintptr_t base = hidden_base ^ key;
    for (const char *at = start; at + sizeof(uintptr_t) <= (const char *)end; at += step_bytes) {
        uintptr_t value;
        memcpy(&value, at, sizeof value);
        if (value - base < WORDS * WORD_STEP)
            hits[(value - base) / WORD_STEP] = 1;
    }
}

static struct stopped *stacks; /* hidden: their stack pointers must not count by lying there */
static size_t stack_count;

/* Overwrites what calls before this one have left on the stack. */
__attribute__((noinline)) static void clear_stack(void)
{
    volatile char room[65536];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

/* How many of the words a scan sees. */
__attribute__((noinline)) static size_t found(void)
{
    clear_stack();
    memset(hits, 0, sizeof hits);
    stacks[0] = (struct stopped){
        .thread_id = os_process_id(),
        .stack_pointer = (uintptr_t)__builtin_frame_address(0),
    };
    scan_result = roots_scan_stacks(stacks, stack_count + 1, look, NULL);
    size_t count = 0;
    for (size_t i = 0; i < WORDS; i++)
        count += hits[i];
    return count;
}

static void start(void)
{
    start_heap();
    /* Not the block's start: being the heap's first, it is also where our own tables say that the heap starts. */
    hidden_base = ((uintptr_t)allocate(WORDS * WORD_STEP + PAGE) + WORD_STEP) ^ key;
    stacks = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(stacks, MAP_FAILED);
    ck_assert_int_eq(roots_hide(stacks, PAGE), 0);
    stack_count = 0;
    ck_assert_uint_eq(found(), 0);
    ck_assert_int_eq(scan_result, 0);
}

/* Linux before 6.7 does not know the call that finds pages of interest. */
static void start_on_older_kernel(void)
{
    ck_assert(refuse_call_with(SYS_ioctl, 1, UINT32_MAX, (uint32_t)PAGEMAP_SCAN_CALL, ENOTTY));
    start();
}

/* A container's filter may forbid reading one's own memory by a call. */
static void start_without_copying(void)
{
    ck_assert(refuse_call(SYS_process_vm_readv, EPERM));
    start();
}

__attribute__((noinline)) static void fill(void *place, size_t step_bytes)
{
    for (size_t i = 0; i < WORDS; i++) {
        uintptr_t value = word(i);
        memcpy((char *)place + i * step_bytes, &value, sizeof value);
        *(volatile uintptr_t *)&value = 0; /* unoptimized code keeps it on the stack, where the next frame will be */
    }
}

static void expect_all(void)
{
    size_t count = found();
    ck_assert_int_eq(scan_result, 0);
    ck_assert_uint_eq(count, WORDS);
}

static void expect_none(void)
{
    size_t count = found();
    ck_assert_int_eq(scan_result, 0);
    ck_assert_uint_eq(count, 0);
}

enum { ROOM = 16 * PAGE };

static char *map(int protection, int flags, int descriptor)
{
    char *place = mmap(NULL, ROOM, protection, flags, descriptor, 0);
    ck_assert_ptr_ne(place, MAP_FAILED);
    return place;
}

static uintptr_t global[WORDS];
static uintptr_t initialised[WORDS] = {1};
static _Thread_local uintptr_t thread_local_words[WORDS];

START_TEST(globals)
{
    fill(global, sizeof *global);
    expect_all();
    memset(global, 0, sizeof global);
    expect_none();
    fill(initialised, sizeof *initialised);
    expect_all();
}
END_TEST

START_TEST(thread_locals_of_the_main_thread)
{
    fill(thread_local_words, sizeof *thread_local_words);
    expect_all();
}
END_TEST

START_TEST(the_stack_of_the_main_thread)
{
    uintptr_t words[WORDS];
    fill(words, sizeof *words);
    expect_all();
    memset(words, 0, sizeof words);
    __asm__ volatile("" : : "r"(words) : "memory");
    expect_none();
}
END_TEST

/* With their own pages behind one another, and every other page never touched. */
START_TEST(a_private_mapping)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(place, sizeof(uintptr_t));
    expect_all();
    ck_assert_int_eq(munmap(place, ROOM), 0);
    expect_none();
    place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    ck_assert_int_eq(munmap(place, ROOM), 0);
    place = mmap(NULL, 2 * PAGE * WORDS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(place + PAGE - sizeof(uintptr_t), 2 * PAGE);
    expect_all();
}
END_TEST

START_TEST(pages_made_read_only_or_unreadable)
{
    static const int protections[] = {PROT_READ, PROT_NONE, PROT_WRITE, PROT_EXEC, PROT_READ | PROT_EXEC};
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(place, sizeof(uintptr_t));
    for (size_t i = 0; i < sizeof protections / sizeof protections[0]; i++) {
        ck_assert_int_eq(mprotect(place, ROOM, protections[i]), 0);
        expect_all();
    }
}
END_TEST

/* Also in a child that has not touched the memory: nothing of it is in the child's page tables. */
static void check_shared(char *place)
{
    fill(place, sizeof(uintptr_t));
    expect_all();
    pid_t child = fork();
    if (child == 0)
        _exit(found() == WORDS && scan_result == 0 ? 0 : 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(mprotect(place, ROOM, PROT_READ), 0);
    expect_all();
    child = fork();
    if (child == 0)
        _exit(found() == WORDS && scan_result == 0 ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(mprotect(place, ROOM, PROT_NONE), 0);
    expect_all();
}

START_TEST(shared_memory)
{
    check_shared(map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1));
}
END_TEST

START_TEST(memory_files)
{
    int descriptor = memfd_create("roots", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(descriptor, ROOM), 0);
    check_shared(map(PROT_READ | PROT_WRITE, MAP_SHARED, descriptor));
}
END_TEST

static int temporary_file(bool unlinked)
{
    char path[] = "/var/tmp/gcalloc-roots-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    if (unlinked)
        unlink(path);
    ck_assert_int_eq(ftruncate(descriptor, ROOM), 0);
    return descriptor;
}

START_TEST(a_shared_file)
{
    check_shared(map(PROT_READ | PROT_WRITE, MAP_SHARED, temporary_file(true)));
}
END_TEST

/* With a long name, such as tells nothing at its start. */
START_TEST(a_shared_file_that_has_a_name)
{
    char folder[] = "/var/tmp/gcalloc-roots-XXXXXX", path[300];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/with blank %0150d", folder, 7);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(descriptor, ROOM), 0);
    char *place = map(PROT_READ | PROT_WRITE, MAP_SHARED, descriptor);
    fill(place, sizeof(uintptr_t));
    expect_all();
    ck_assert_int_eq(mprotect(place, ROOM, PROT_READ), 0);
    expect_all();
    unlink(path);
    rmdir(folder);
    check_shared(map(PROT_READ | PROT_WRITE, MAP_SHARED, descriptor));
}
END_TEST

START_TEST(a_private_file_mapping_where_it_was_written)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, temporary_file(true));
    fill(place, sizeof(uintptr_t));
    expect_all();
    ck_assert_int_eq(mprotect(place, ROOM, PROT_READ), 0);
    expect_all();
    ck_assert_int_eq(mprotect(place, ROOM, PROT_NONE), 0);
    expect_all();
}
END_TEST

/* A file that ends before its mapping: a load there is SIGBUS. */
START_TEST(files_that_end_early_do_no_harm)
{
    static const int flags[] = {MAP_PRIVATE, MAP_SHARED};
    for (size_t i = 0; i < 2; i++) {
        int descriptor = temporary_file(true);
        char *place = map(PROT_READ | PROT_WRITE, flags[i], descriptor);
        fill(place, sizeof(uintptr_t));
        memset(place + ROOM - PAGE, 1, PAGE);
        ck_assert_int_eq(ftruncate(descriptor, PAGE), 0);
        expect_all();
        ck_assert_int_eq(munmap(place, ROOM), 0);
    }
}
END_TEST

static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(what_was_only_reserved_is_not_touched)
{
    size_t size_bytes = (size_t)100 << 30;
    char *place = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(place, MAP_FAILED);
    char *shared = mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    fill(place + size_bytes / 2, sizeof(uintptr_t));
    expect_all();
    long before = resident_kib();
    expect_all();
    ck_assert_int_le(resident_kib(), before + 512);
    fill(place + size_bytes / 2, 0);
    fill(shared, sizeof(uintptr_t));
    expect_all();
    ck_assert_int_le(resident_kib(), before + 512);
}
END_TEST

START_TEST(the_program_break)
{
    char *place = sbrk(ROOM);
    fill(place, sizeof(uintptr_t));
    expect_all();
}
END_TEST

START_TEST(words_at_every_fourth_byte)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(place + 4, 12);
    expect_all();
    memset(place, 0, ROOM);
    fill(place + 1, 8);
    expect_none();
    place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    ck_assert_int_eq(munmap(place, ROOM), 0);
    size_t size_bytes = (WORDS + 1) * PAGE;
    place = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fill(place + PAGE - 4, PAGE);
    expect_all();
}
END_TEST

/* As in code: an operand at any byte, also across pages, also when the code can't be written at the moment. */
START_TEST(words_at_every_byte_of_code)
{
    static const int protections[] = {PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_EXEC};
    for (size_t i = 0; i < 2; i++) {
        size_t size_bytes = (2 * WORDS + 1) * PAGE;
        char *place = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        fill(place + 3, 11);
        ck_assert_int_eq(mprotect(place, size_bytes, protections[i]), 0);
        expect_all();
        ck_assert_int_eq(mprotect(place, size_bytes, PROT_READ | PROT_WRITE), 0);
        memset(place, 0, PAGE);
        fill(place + PAGE - 2, 2 * PAGE);
        ck_assert_int_eq(mprotect(place, size_bytes, protections[i]), 0);
        expect_all();
        ck_assert_int_eq(munmap(place, size_bytes), 0);
    }
}
END_TEST

START_TEST(code_being_written)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(place + 3, 11);
    ck_assert_int_eq(mprotect(place + ROOM - PAGE, PAGE, PROT_READ | PROT_EXEC), 0);
    expect_all();
}
END_TEST

START_TEST(epoll_data)
{
    int poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < WORDS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = word(i)};
        ck_assert_int_eq(epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, eventfd(0, EFD_CLOEXEC), &event), 0);
        event.data.u64 = 0;
    }
    expect_all();
    close(poll_descriptor);
    expect_none();
}
END_TEST

/* Beginning at an odd byte, more than fits one piece, and nothing of it is gone afterwards. */
START_TEST(messages_in_pipes)
{
    enum { MESSAGE = 1001 };
    int ends[2];
    char message[MESSAGE];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 2 * WORDS * MESSAGE), WORDS * MESSAGE);
    for (size_t i = 0; i < WORDS; i++) {
        uintptr_t value = word(i);
        memset(message, 'm', sizeof message);
        memcpy(message + i, &value, sizeof value);
        ck_assert_int_eq(write(ends[1], message, sizeof message), MESSAGE);
    }
    memset(message, 0, sizeof message);
    expect_all();
    expect_all();
    for (size_t i = 0; i < WORDS; i++) {
        uintptr_t value = word(i);
        ck_assert_int_eq(read(ends[0], message, sizeof message), MESSAGE);
        ck_assert(memcmp(message + i, &value, sizeof value) == 0 && message[MESSAGE - 1] == 'm');
    }
    memset(message, 0, sizeof message);
    clear_stack();
    ck_assert_uint_lt(found(), WORDS / 100);
}
END_TEST

static void wait_for_call(pid_t process, int number)
{
    char path[64], text[16] = "";
    snprintf(path, sizeof path, "/proc/%d/syscall", process);
    while (atoi(text) != number) {
        int descriptor = open(path, O_RDONLY);
        ck_assert_int_ge(descriptor, 0);
        ck_assert_int_ge(read(descriptor, text, sizeof text - 1), 1);
        close(descriptor);
    }
}

/* Another process waits with the pipe locked: who only reads it, as a shell's pipeline, is not held up. */
START_TEST(a_pipe_that_another_process_has_locked)
{
    int ends[2], sockets[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    ck_assert_int_eq(write(ends[1], "waiting", 7), 7);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        splice(sockets[0], NULL, ends[1], NULL, 100, 0);
        _exit(0);
    }
    close(ends[1]);
    wait_for_call(child, SYS_splice);
    expect_none();
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    expect_none();
}
END_TEST

START_TEST(timer_values)
{
    timer_t timers[WORDS];
    for (size_t i = 0; i < WORDS; i++) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        event.sigev_value.sival_ptr = (void *)word(i);
        ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timers[i]), 0);
        memset(&event, 0, sizeof event);
    }
    expect_all();
    for (size_t i = 0; i < WORDS; i++)
        timer_delete(timers[i]);
    ck_assert_uint_lt(found(), WORDS / 100); /* a register may still hold the last one */
}
END_TEST

#if defined(__x86_64__)
/* As PTR_MANGLE does it. */
START_TEST(registers_that_setjmp_mangles)
{
    uintptr_t guard;
    __asm__("mov %%fs:0x30, %0" : "=r"(guard));
    for (size_t i = 0; i < WORDS; i++) {
        uintptr_t value = word(i) ^ guard;
        global[i] = value << 17 | value >> 47;
        ck_assert_uint_eq(roots_unmangle(global[i]), word(i));
    }
    expect_all();
}
END_TEST

static jmp_buf jumps[8];

START_TEST(a_pointer_in_setjmps_frame_pointer)
{
    uintptr_t value = word(5);
    uintptr_t saved;
    __asm__ volatile("mov %%rbp, %[saved]\n\t"
                     "mov %[value], %%rbp\n\t"
                     "xor %[value], %[value]\n\t"
                     "mov %[saved], %%rbx\n\t"
                     "lea %[jumps], %%rdi\n\t"
                     "sub $256, %%rsp\n\t"
                     "call _setjmp@PLT\n\t"
                     "add $256, %%rsp\n\t"
                     "mov %%rbx, %%rbp\n\t"
                     : [saved] "=&r"(saved), [value] "+r"(value)
                     : [jumps] "m"(jumps[0])
                     : "rbx", "rdi", "rsi", "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
    ck_assert_uint_eq(found(), 1);
    ck_assert_uint_eq(hits[5], 1);
}
END_TEST
#endif

START_TEST(pins_and_ranges_that_the_program_adds)
{
    for (size_t i = 0; i < WORDS; i++) {
        ck_assert_int_eq(roots_pin((void *)word(i)), 0);
        ck_assert_int_eq(roots_pin((void *)word(i)), 0);
    }
    expect_all();
    for (size_t i = 0; i < WORDS; i++)
        ck_assert_int_eq(roots_unpin((void *)word(i)), 0);
    expect_all();
    for (size_t i = 0; i < WORDS; i += 3)
        ck_assert_int_eq(roots_unpin((void *)word(i)), 0);
    ck_assert_uint_eq(found(), WORDS - WORDS / 3);
    for (size_t i = 0; i < WORDS; i++)
        ck_assert_int_eq(roots_unpin((void *)word(i)), i % 3 == 0 ? -ENOENT : 0);
    expect_none();
    void *block = allocate(WORDS * sizeof(uintptr_t));
    fill(block, sizeof(uintptr_t));
    expect_none();
    ck_assert_int_eq(roots_add(block, WORDS * sizeof(uintptr_t)), 0);
    expect_all();
    ck_assert_int_eq(roots_remove(block), 0);
    ck_assert_int_eq(roots_remove(block), -ENOENT);
    expect_none();
}
END_TEST

/* So many that they share places in the table, taken back in another order. */
START_TEST(many_pins)
{
    enum { PINS = 4096, STRIDE = 1237 };
    for (uintptr_t i = 1; i <= PINS; i++)
        ck_assert_int_eq(roots_pin((void *)(i * i * 16)), 0);
    for (uintptr_t i = 0; i < PINS; i++) {
        uintptr_t address = (i * STRIDE % PINS + 1) * (i * STRIDE % PINS + 1) * 16;
        ck_assert_int_eq(roots_unpin((void *)address), 0);
        ck_assert_int_eq(roots_unpin((void *)address), -ENOENT);
    }
}
END_TEST

START_TEST(what_is_hidden_does_not_count)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(place, sizeof(uintptr_t));
    ck_assert_int_eq(roots_hide(place, ROOM), 0);
    expect_none();
    roots_unhide(place);
    expect_all();
}
END_TEST

START_TEST(heap_pages_made_unreadable)
{
    char *block = allocate(8 * PAGE);
    char *page = (char *)(((uintptr_t)block + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    fill(page, sizeof(uintptr_t));
    expect_none();
    ck_assert_int_eq(mprotect(page, PAGE, PROT_NONE), 0);
    expect_all();
    size_t count;
    const struct roots_part *parts = roots_unreadable(&count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(parts[0].start, (uintptr_t)page);
    ck_assert_uint_eq(parts[0].end, (uintptr_t)page + PAGE);
    ck_assert_int_eq(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    expect_none();
}
END_TEST

/* Below the stack pointer nothing lives, unless that points elsewhere, or another thread is there. */
START_TEST(stacks_count_from_their_pointer_up)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uintptr_t begin = (uintptr_t)place;
    fill(place, sizeof(uintptr_t));
    stack_count = 1;
    stacks[1] = (struct stopped){
        .thread_id = 1,
        .stack_pointer = begin + WORDS / 2 * sizeof(uintptr_t),
        .stack_start = begin,
        .stack_end = begin + ROOM,
    };
    ck_assert_uint_eq(found(), WORDS / 2);
    stacks[1].stack_pointer = begin + ROOM - 16;
    ck_assert_uint_eq(found(), 0);
    stacks[1].stack_pointer = begin + ROOM;
    ck_assert_uint_eq(found(), WORDS);
    stacks[1].stack_pointer = begin + ROOM - 16;
    stack_count = 2;
    stacks[2] = (struct stopped){.thread_id = 2, .stack_pointer = begin + 64, .stack_start = begin + 1, .stack_end = begin + 2};
    ck_assert_uint_eq(found(), WORDS);
    stack_count = 1;
    ck_assert_uint_eq(found(), 0);
    roots_keep_whole_stacks();
    ck_assert_uint_eq(found(), WORDS);
}
END_TEST

START_TEST(a_stack_pointer_holds_the_block_it_is_in)
{
    stack_count = 1;
    stacks[1] = (struct stopped){.thread_id = 1, .stack_pointer = word(7)};
    size_t count = found();
    stacks[1].stack_pointer = 0;
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(registers_saved_elsewhere)
{
    char *block = allocate(WORDS * sizeof(uintptr_t));
    fill(block, sizeof(uintptr_t));
    stack_count = 1;
    stacks[1] = (struct stopped){
        .thread_id = 1,
        .registers_start = (uintptr_t)block + 2,
        .registers_end = (uintptr_t)block + WORDS * sizeof(uintptr_t),
    };
    ck_assert_uint_eq(found(), WORDS - 1);
}
END_TEST

/* Pages that look like something and can't be read. */
START_TEST(guard_pages_do_no_harm)
{
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    fill(place + PAGE, sizeof(uintptr_t));
    if (madvise(place, PAGE, MADV_GUARD_INSTALL) == 0)
        expect_all();
}
END_TEST

/* A process that has given up its rights can't read its page tables, nor all of its memory. */
START_TEST(without_rights)
{
    if (getuid() != 0)
        return;
    char *place = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *file = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, temporary_file(true));
    char *unreadable = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    ck_assert_int_eq(setgroups(0, NULL), 0);
    ck_assert_int_eq(setgid(65534), 0);
    ck_assert_int_eq(setuid(65534), 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 0), 0);
    ck_assert_int_lt(open("/proc/self/pagemap", O_RDONLY), 0);
    expect_none();
    fill(place, sizeof(uintptr_t));
    expect_all();
    memset(place, 0, ROOM);
    fill(file, sizeof(uintptr_t));
    ck_assert_int_eq(mprotect(file, ROOM, PROT_READ), 0);
    expect_all();
    *unreadable = 1;
    ck_assert_int_eq(mprotect(unreadable, ROOM, PROT_NONE), 0);
    found();
    ck_assert_int_lt(scan_result, 0);
}
END_TEST

START_TEST(many_mappings)
{
    enum { COUNT = 3000 };
    char *place = mmap(NULL, (size_t)2 * COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(mprotect(place + 2 * i * PAGE, PAGE, PROT_READ), 0);
    fill(place + PAGE, 10 * 2 * PAGE);
    expect_all();
}
END_TEST

START_TEST(no_descriptor_is_left_open)
{
    int before = open("/dev/null", O_RDONLY);
    for (int i = 0; i < 10; i++)
        found();
    ck_assert_int_eq(open("/dev/null", O_RDONLY), before + 1);
}
END_TEST

static TCase *places_with(const char *name, void (*set_up)(void))
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, globals);
    tcase_add_test(tests, thread_locals_of_the_main_thread);
    tcase_add_test(tests, the_stack_of_the_main_thread);
    tcase_add_test(tests, a_private_mapping);
    tcase_add_test(tests, pages_made_read_only_or_unreadable);
    tcase_add_test(tests, shared_memory);
    tcase_add_test(tests, memory_files);
    tcase_add_test(tests, a_shared_file);
    tcase_add_test(tests, a_shared_file_that_has_a_name);
    tcase_add_test(tests, a_private_file_mapping_where_it_was_written);
    tcase_add_test(tests, files_that_end_early_do_no_harm);
    tcase_add_test(tests, what_was_only_reserved_is_not_touched);
    tcase_add_test(tests, the_program_break);
    tcase_add_test(tests, words_at_every_fourth_byte);
    tcase_add_test(tests, words_at_every_byte_of_code);
    tcase_add_test(tests, code_being_written);
    tcase_add_test(tests, epoll_data);
    tcase_add_test(tests, messages_in_pipes);
    tcase_add_test(tests, a_pipe_that_another_process_has_locked);
    tcase_add_test(tests, timer_values);
#if defined(__x86_64__)
    tcase_add_test(tests, registers_that_setjmp_mangles);
    tcase_add_test(tests, a_pointer_in_setjmps_frame_pointer);
#endif
    return tests;
}

static TCase *places(void)
{
    return places_with("places", start);
}

static TCase *older_kernel(void)
{
    return places_with("older kernel", start_on_older_kernel);
}

static TCase *without_copying(void)
{
    return places_with("without copying", start_without_copying);
}

static TCase *borders(void)
{
    TCase *tests = tcase_create("borders");
    tcase_add_checked_fixture(tests, start, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, pins_and_ranges_that_the_program_adds);
    tcase_add_test(tests, many_pins);
    tcase_add_test(tests, what_is_hidden_does_not_count);
    tcase_add_test(tests, heap_pages_made_unreadable);
    tcase_add_test(tests, stacks_count_from_their_pointer_up);
    tcase_add_test(tests, a_stack_pointer_holds_the_block_it_is_in);
    tcase_add_test(tests, registers_saved_elsewhere);
    tcase_add_test(tests, guard_pages_do_no_harm);
    tcase_add_test(tests, without_rights);
    tcase_add_test(tests, many_mappings);
    tcase_add_test(tests, no_descriptor_is_left_open);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {places, older_kernel, without_copying, borders};
    return suite_run("gc/roots", makers, 4);
}
