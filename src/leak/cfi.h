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

#endif
