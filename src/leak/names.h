/*
 * leak/names: the functions that frames of call stacks are in, by the symbol tables of their files.
 *
 * For suppressions only: reports leave names to the command. Files that are mapped stay so until names_drop().
 */
#ifndef LEAK_NAMES_H
#define LEAK_NAMES_H

#include "leak/tables.h"

#include <stddef.h>
#include <stdint.h>

enum { NAME_BYTES = 512 };

/* The function's name as its symbol has it, and the module's path; "" if not known. Good until names_drop(). */
const char *names_function(const struct leak_tables *tables, uint64_t frame);
const char *names_module(const struct leak_tables *tables, uint64_t frame);

/* What a C++ symbol calls a function, without arguments: "Shape::draw". False if it is none, or one we can't read. */
bool names_plain(const char *symbol, char name_out[NAME_BYTES]);

void names_drop(void);

#endif
