#include "support/threads.h"

#include "support/require.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The letter that proc(5) has for it; 0 for a thread that is gone. */
static char state_of(int thread_id)
{
    char path[48], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread_id);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        require(errno == ENOENT);
        return 0;
    }
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    const char *name_end = strrchr(text, ')');
    require(name_end != NULL && name_end[1] == ' ');
    return name_end[2];
}

static int await_id(const _Atomic int *thread_id)
{
    while (*thread_id == 0)
        sched_yield();
    return *thread_id;
}

void thread_await_sleep(const _Atomic int *thread_id)
{
    int id = await_id(thread_id);
    char state;
    while ((state = state_of(id)) != 'S') {
        require(state != 0);
        sched_yield();
    }
}

void thread_await_end(const _Atomic int *thread_id)
{
    int id = await_id(thread_id);
    while (state_of(id) != 0)
        sched_yield();
}
