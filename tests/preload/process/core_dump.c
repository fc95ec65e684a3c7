/* Takes 20 MiB, frees half of it, and aborts. process.py weighs the core file. */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { BLOCKS = 2000, BLOCK_BYTES = 10486 };

int main(int count, char **arguments)
{
    static char *blocks[BLOCKS];
    struct rlimit unlimited = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    (void)count;
    subject_require(arguments);
    require(setrlimit(RLIMIT_CORE, &unlimited) == 0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        pattern_fill(blocks[i], BLOCK_BYTES, i);
    }
    for (int i = BLOCKS / 2; i < BLOCKS; i++)
        free(blocks[i]);
    abort();
}
