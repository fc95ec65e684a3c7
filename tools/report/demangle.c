/* tools/report/demangle: with libiberty, as binutils and gdb do it. */
#include "tools/report/demangle.h"

#include <libiberty/demangle.h>
#include <stddef.h>
#include <string.h>

/* libiberty's limits hold recursion down; what is longer than this is no name anybody reads. */
enum { NAME_MAX_BYTES = 16384 };

char *demangle(const char *name, bool with_parameters)
{
    /* Only names that begin like mangled ones: "_Z", "_R", "_D"; libiberty takes some C names for other schemes. */
    if (name[0] != '_' || strchr("ZRD", name[1]) == NULL || name[1] == '\0' ||
        strlen(name) > NAME_MAX_BYTES)
        return NULL;
    return cplus_demangle(name, DMGL_AUTO | DMGL_ANSI | (with_parameters ? DMGL_PARAMS : 0));
}
