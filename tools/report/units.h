/*
 * tools/report/units: from an address to source lines and inlined calls, by a file's DWARF.
 */
#ifndef TOOLS_REPORT_UNITS_H
#define TOOLS_REPORT_UNITS_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

enum { UNIT_PLACES_MAX = 64 };

struct unit_place {
    const char *name;   /* for the linker if there is one, else as written; may be NULL */
    const char *file;   /* or NULL */
    const char *folder; /* where the compiler ran, or NULL */
    unsigned line;
};

struct units;

/* NULL where the file has no DWARF. */
struct units *units_open(Dwfl_Module *module);
void units_close(struct units *units);

/* Innermost first; returns how many. Units may be NULL. */
size_t units_find(struct units *units, uint64_t address, struct unit_place *places_out);

#endif
