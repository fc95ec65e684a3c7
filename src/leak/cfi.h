/*
 * leak/cfi: reads the unwind tables that compilers leave in every object (.eh_frame_hdr, .eh_frame).
 *
 * The part of DWARF's call frame information that compilers and the C library's assembler code use; what goes beyond
 * gives a rule that stops. Takes no lock, allocates nothing and reads nothing outside the object.
 */
#ifndef LEAK_CFI_H
#define LEAK_CFI_H

#include "leak/rule.h"

#include <stdbool.h>

struct os_object;

/* The rule at the address, with module 0. False when the tables say nothing of it. */
bool cfi_find(const struct os_object *object, uintptr_t address, struct rule *rule_out);

/*
 * From a frame that has called on, in the object, to its caller, with all registers that functions keep. The frame is one of
 * the calling thread's and lives: what the tables say of it is read without a check. False where they say nothing useful.
 */
struct os_all_registers;
bool cfi_step(const struct os_object *object, struct os_all_registers *registers_inout);

#endif
