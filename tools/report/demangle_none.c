/* tools/report/demangle, built without libiberty: names stay as they are in the file. */
#include "tools/report/demangle.h"

#include <stddef.h>

char *demangle(const char *name, bool with_parameters)
{
    (void)name;
    (void)with_parameters;
    return NULL;
}
