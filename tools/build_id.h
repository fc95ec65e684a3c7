/* tools/build_id: whether a file is still the one that was loaded. */
#ifndef TOOLS_BUILD_ID_H
#define TOOLS_BUILD_ID_H

#include "tools/target.h"

#include <stdbool.h>

/*
 * False when the module whose first byte lies at the address has another build-id than the file has now. True also
 * where there is none, or that can't be read.
 */
bool build_id_is_same(const struct target *target, uintptr_t start, const char *path);

#endif
