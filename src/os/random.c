/*
 * os/random: unpredictable bits at start-up.
 *
 * Locks: none.
 */
#include "os/random.h"

#include "os/syscall.h"
#include "os/thread.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

uint64_t os_random(void)
{
    uint64_t bits = 0;
    if (os_syscall3(SYS_getrandom, (long)&bits, sizeof bits, GRND_NONBLOCK) == (long)sizeof bits)
        return bits;
    const void *seed = (const void *)getauxval(AT_RANDOM);
    if (seed != NULL)
        memcpy(&bits, seed, sizeof bits);
    return bits ^ (os_clock_ns() * 0x9e3779b97f4a7c15u);
}
