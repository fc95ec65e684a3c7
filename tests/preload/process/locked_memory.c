/*
 * Programs that hold secrets or deadlines lock memory: single blocks, or everything there is and will be. Locked pages
 * can't be given back (madvise answers EINVAL); that is no reason to fail, nor is a reservation to be locked whole.
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RESIDENT_KIB_MAX = 200 * 1024 };

static void lock_blocks(void)
{
    for (int i = 0; i < 200; i++) {
        size_t size = (size_t)i * 1500 + 100;
        char *block = memalign(4096, size);

        require(mlock(block, size) == 0 || errno == ENOMEM || errno == EPERM || errno == EAGAIN);
        memset(block, 1, size);
        if (i % 2 == 0)
            munlock(block, size);
        free(block);
    }
    malloc_trim(0);
    workload_run(1, 10000);
}

int main(int count, char **arguments)
{
    (void)count;
    subject_require(arguments);
    lock_blocks();
    if (mlockall(MCL_CURRENT) != 0)
        require(errno == ENOMEM || errno == EPERM || errno == EAGAIN);
    workload_run(2, 20000);
    malloc_trim(0);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        require(errno == ENOMEM || errno == EPERM || errno == EAGAIN);
        puts("mlockall is refused here");
    }
    workload_run(3, 20000);
    malloc_trim(0);
    workload_run(4, 20000);
    require(resident_kib() < RESIDENT_KIB_MAX);
    require(subject_verify());
    return 0;
}
