/*
 * A double free where standard error is closed. With on_error=report the program goes on as if it had been written,
 * with on_error=abort it aborts. What the program has open is not written to.
 */
#include "support/opaque.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    void *block;
    int file;

    (void)count;
    subject_require(arguments);
    block = malloc(48);
    file = memfd_create("of the program", 0);
    close(STDERR_FILENO);
    free(block);
    errno = 4711;
    free(opaque(block));
    if (errno != 4711)
        return 3;
    workload_run(1, 2000);
    if (lseek(file, 0, SEEK_END) != 0)
        return 4;
    return subject_verify() ? 0 : 5;
}
