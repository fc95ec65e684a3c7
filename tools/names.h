/*
 * tools/names: what the modules of a snapshot call things: functions, variables, frames of stacks.
 *
 * Names come from the files that were mapped, if those are still what they were.
 */
#ifndef TOOLS_NAMES_H
#define TOOLS_NAMES_H

#include "tools/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_BYTES = 256 };

/* Each part is empty where it is not known. */
struct name {
    char symbol[NAME_BYTES];
    size_t offset; /* of the address in it */
    char module[NAME_BYTES];
    uint64_t module_offset; /* the address as the module's file has it */
    char source[NAME_BYTES]; /* "file.c:12" */
};

struct names;

/* Never fails; without libdw, or memory, there are only modules. The snapshot must outlive it. */
struct names *names_open(const struct snapshot *snapshot);
void names_close(struct names *names);

/* What the instruction before this address belongs to: a return address's call. False when it lies in no file's mapping. */
bool names_of_call(const struct names *names, uintptr_t address, struct name *name_out);

/* What variable, if any, the address lies in. False when it lies in no module. */
bool names_of_variable(const struct names *names, uintptr_t address, struct name *name_out);

/* The function in whose frame an address on this thread's stack lies. False when that can't be told. */
bool names_of_frame(struct names *names, size_t thread, uintptr_t address, struct name *name_out);

#endif
