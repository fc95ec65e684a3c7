/*
 * tools/report/demangle: names of C++, Rust and D functions as their authors wrote them.
 */
#ifndef TOOLS_REPORT_DEMANGLE_H
#define TOOLS_REPORT_DEMANGLE_H

#include <stdbool.h>

/* A name for the caller to free, with or without the types of parameters; NULL if it is none of a language known here. */
char *demangle(const char *name, bool with_parameters);

#endif
