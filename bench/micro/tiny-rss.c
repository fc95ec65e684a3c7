/*
 * bench/micro/tiny-rss: a program with a handful of blocks says how large it grew, in KiB.
 *
 * It reads its own VmHWM, since ru_maxrss is off by what the kernel's per-CPU counters hold back: a large share here.
 */
#include "bench/micro/memory.h"
#include "bench/micro/pattern.h"

enum { BLOCKS = 8 };

int main(void)
{
    struct block blocks[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = block_take(16u << i, i);
    for (size_t i = 0; i < BLOCKS; i++)
        (void)block_drop(blocks[i]);
    return memory_print((double)memory_status_kib("VmHWM:"));
}
