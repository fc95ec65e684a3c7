/*
 * Freed before a fork and again in the child.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    void *block = malloc(48);
    int status;
    pid_t child;

    name_address("block", block);
    free(block);
    child = fork();
    if (child == 0) {
        free_hidden(block);
        _exit(survive(48));
    }
    if (waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        raise(WTERMSIG(status));
    return WEXITSTATUS(status);
}
