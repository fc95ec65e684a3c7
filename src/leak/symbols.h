/*
 * leak/symbols: which function of a file an address is in, by the file's table of symbols.
 *
 * Nothing in a file is believed before it was compared with the file's size.
 */
#ifndef LEAK_SYMBOLS_H
#define LEAK_SYMBOLS_H

#include "leak/grown.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* A function. `reach` is where the last of those ends that begin here or in front. */
struct symbol {
    uint64_t start;
    uint64_t end;
    uint64_t reach;
    const char *name;
};

/* All zero before it is opened. */
struct symbols {
    const char *file; /* its mapping; empty if there is none */
    size_t file_bytes;
    struct grown functions; /* struct symbol, by start */
    size_t count;
};

/* Of .symtab, or else .dynsym. A file that can't be read has no functions. */
void symbols_open(struct symbols *symbols, const char *path);
void symbols_close(struct symbols *symbols);

/* The innermost function that the offset lies in, or "". Good until the file is closed. */
const char *symbols_find(const struct symbols *symbols, uint64_t offset);

#endif
