/*
 * The kernel allows 65,530 mappings to a process. Large blocks that come and go between others must not cut the heap
 * into as many; and a program may protect or empty pages of its own blocks as long as it puts them right again.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCKS = 8000, BLOCK_BYTES = 200000, MAPPINGS_MAX = 2000 };

static unsigned count_mappings(void)
{
    static char text[65536];
    int descriptor = open("/proc/thread-self/maps", O_RDONLY);
    unsigned lines = 0;
    ssize_t length;

    require(descriptor >= 0);
    while ((length = read(descriptor, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < length; i++)
            lines += text[i] == '\n';
    close(descriptor);
    return lines;
}

static void riddle_with_holes(void)
{
    static char *blocks[BLOCKS];
    unsigned mappings;

    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        require(blocks[i] != NULL);
        blocks[i][0] = 1;
    }
    for (int i = 0; i < BLOCKS; i += 2)
        free(blocks[i]);
    malloc_trim(0);
    mappings = count_mappings();
    printf("%u mappings for %d blocks with holes between\n", mappings, BLOCKS / 2);
    require(mappings < MAPPINGS_MAX);
    for (int i = 1; i < BLOCKS; i += 2)
        free(blocks[i]);
}

/* A guard page inside a block, as garbage collectors and stacks of coroutines have them. */
static void protect_and_restore(void)
{
    for (int i = 0; i < 200; i++) {
        size_t size = 16384u * (unsigned)(i % 9 + 1);
        char *block = memalign(4096, size), *zeroed;

        pattern_fill(block, size, 1);
        require(mprotect(block + 4096, 4096, PROT_NONE) == 0);
        require(mprotect(block + 4096, 4096, PROT_READ | PROT_WRITE) == 0);
        require(pattern_holds(block, size, 1));
        require(madvise(block, size, MADV_DONTNEED) == 0 && all_zero(block, size));
        pattern_fill(block, size, 2);
        block = realloc(block, size * 2);
        require(pattern_holds(block, size, 2));
        free(block);
        zeroed = calloc(1, size);
        require(all_zero(zeroed, size));
        free(zeroed);
    }
}

int main(int count, char **arguments)
{
    (void)count;
    subject_require(arguments);
    riddle_with_holes();
    protect_and_restore();
    workload_run(1, 20000);
    require(subject_verify());
    return 0;
}
