/* tools/elf_memory: symbols of a module, read from the memory it was loaded into. */
#ifndef TOOLS_ELF_MEMORY_H
#define TOOLS_ELF_MEMORY_H

#include "tools/target.h"

/* The address of an exported symbol of the module that starts at `base`. Returns 0, -ENOENT or
 * another -errno. */
int elf_memory_symbol(const struct target *target, uintptr_t base, const char *name,
                      uintptr_t *address_out);

#endif
