/* os/random: unpredictable bits at start-up. */
#ifndef OS_RANDOM_H
#define OS_RANDOM_H

#include <stdint.h>

/* 64 bits from the kernel; from AT_RANDOM and the clock where the call is forbidden. Never blocks. */
uint64_t os_random(void);

#endif
