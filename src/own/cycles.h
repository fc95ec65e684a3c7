/* own/cycles: objects that only hold each other. */
#ifndef OWN_CYCLES_H
#define OWN_CYCLES_H

#include <stddef.h>
#include <stdint.h>

/* Looks for garbage among the calling thread's suspects. Returns how many objects it freed. 0 when it must not, now. */
size_t cycles_run(uint64_t budget_ns);

#endif
