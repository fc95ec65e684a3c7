/*
 * leak/unwind: the call stack of the calling thread, through code without frame pointers.
 *
 * From frame to frame by the objects' unwind tables, as C++ exceptions go. What the tables say of an address is kept
 * as a rule in a cache shared by all threads (leak/rules): a step then is a look-up and two or three loads. Code that no table
 * describes, as that of just-in-time compilers, is passed by its frame pointer if that leads on.
 *
 * Takes no lock, the loader's least of all, allocates nothing, and is async-signal-safe. No load goes outside the
 * stack it started on, whatever the tables say.
 */
#ifndef LEAK_UNWIND_H
#define LEAK_UNWIND_H

#include "leak/tables.h"
#include "os/registers.h"

/*
 * Writes the frames from the one the registers are of, innermost first, as struct stack has them; leaves out the first
 * ones as long as they lie between skip_start and skip_end. Returns how many, up to `limit`.
 */
uint32_t unwind_stack(const struct os_registers *from, uintptr_t skip_start, uintptr_t skip_end,
                      uint64_t *frames_out, uint32_t limit, uint32_t now_ms);

#endif
