/*
 * bench/micro/memory: read(2) into the stack and no stdio, so that the measuring costs no block.
 */
#include "bench/micro/memory.h"

#include "bench/micro/pattern.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_BYTES_MAX = 8192 };

long memory_status_kib(const char *name)
{
    char text[STATUS_BYTES_MAX];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    const char *found;

    if (length < 0)
        pattern_die("reading /proc/self/status");
    close(file);
    text[length] = '\0';
    found = strstr(text, name);
    if (found == NULL)
        pattern_die(name);
    return strtol(found + strlen(name), NULL, 10);
}

int memory_print(double figure)
{
    dprintf(STDOUT_FILENO, "%.2f\n", figure);
    return 0;
}
