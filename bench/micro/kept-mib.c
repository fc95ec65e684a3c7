/* bench/micro/kept-mib: MiB beyond the start that an idle program still holds 0.3 s after it freed 100 MiB. */
#include "bench/micro/memory.h"
#include "bench/micro/pattern.h"

#include <time.h>

enum { BLOCKS = 102400, BLOCK_BYTES = 1024, IDLE_MS = 300 };

static struct block blocks[BLOCKS];

int main(void)
{
    /* The wait is what is measured: an allocator may give memory back on its own time. */
    struct timespec idle = {0, IDLE_MS * 1000000L};
    long start_kib;

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i].size = BLOCK_BYTES;
    start_kib = memory_status_kib("VmRSS:");
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = block_take(BLOCK_BYTES, i);
        blocks[i].bytes[BLOCK_BYTES / 2] = 1;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        (void)block_drop(blocks[i]);
    nanosleep(&idle, NULL);
    return memory_print((double)(memory_status_kib("VmRSS:") - start_kib) / 1024);
}
