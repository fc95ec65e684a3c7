#include "support/require.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void require_failed(const char *what, const char *file, int line)
{
    dprintf(STDERR_FILENO, "%s:%d: does not hold: %s (errno %d)\n", file, line, what, errno);
    _exit(1);
}
