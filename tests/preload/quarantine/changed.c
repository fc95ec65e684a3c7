/*
 * Errors that the quarantine finds, one a run: "write" writes to blocks that were freed, "late" frees a block again after all that
 * could have been reused was, "trap" reads a large block that was freed, and "handled" does so with a handler of its own; "null" and
 * "raise" are faults that have nothing to do with it.
 */
#include "gcalloc/quarantine.h"
#include "support/opaque.h"
#include "support/require.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 16 };

__attribute__((noinline)) static void allocate(char **blocks)
{
    for (int i = 0; i < COUNT; i++)
        blocks[i] = opaque(malloc(48));
}

__attribute__((noinline)) static void release(char **blocks)
{
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
}

static void sweep(void)
{
    char room[8192];
    memset(opaque(room), 0, sizeof room);
    require(gca_quarantine_sweep() == 0);
}

static void write_freed(void)
{
    char *blocks[COUNT];
    allocate(blocks);
    release(blocks);
    for (int i = 0; i < COUNT; i++)
        blocks[i][16] = 'x';
    memset(opaque(blocks), 0, sizeof blocks);
    sweep();
    sweep();
}

static void free_late(void)
{
    char *volatile blocks[COUNT];
    allocate((char **)blocks);
    release((char **)blocks);
    for (int i = 0; i < 100000; i++)
        free(opaque(malloc(48)));
    free(blocks[COUNT / 2]);
}

static sigjmp_buf back;
static void *volatile faulted;

static void handle(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    faulted = info->si_addr;
    siglongjmp(back, 1);
}

static char *volatile large;

__attribute__((noinline)) static void read_freed(void)
{
    large = opaque(malloc(1 << 20));
    free(large);
    printf("%d\n", large[4096]);
}

static void read_handled(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO}, before;
    require(sigaction(SIGSEGV, &action, &before) == 0);
    require(before.sa_handler == SIG_DFL);
    require(sigaction(SIGSEGV, NULL, &before) == 0);
    require(before.sa_sigaction == handle);
    if (sigsetjmp(back, 1) == 0)
        read_freed();
    require(faulted == large + 4096);
}

int main(int argc, char **argv)
{
    require(argc == 2);
    if (strcmp(argv[1], "write") == 0)
        write_freed();
    else if (strcmp(argv[1], "late") == 0)
        free_late();
    else if (strcmp(argv[1], "trap") == 0)
        read_freed();
    else if (strcmp(argv[1], "null") == 0)
        *(volatile char *)opaque(NULL) = 1;
    else if (strcmp(argv[1], "raise") == 0)
        raise(SIGSEGV);
    else
        read_handled();
    return 0;
}
