/*
 * tools/report/symbols: what lies at an offset in a file: functions, those inlined into them, source lines.
 *
 * Files are opened when first asked about and kept open; nothing is fetched from a network. Answers live as long as the
 * struct symbols.
 */
#ifndef TOOLS_REPORT_SYMBOLS_H
#define TOOLS_REPORT_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol_frame {
    const char *function;  /* demangled, without parameters */
    const char *signature; /* with them; the same where there are none */
    const char *linkage;   /* as the linker knows it */
    const char *file;      /* absolute if the compiler said so; NULL: not known */
    const char *folder;    /* where the compiler ran, or NULL */
    unsigned line;
    bool is_inlined; /* into the next one */
};

/* Innermost first; none: nothing is known. */
struct symbol {
    const struct symbol_frame *frames;
    size_t count;
};

struct symbols;

/* The root is put before all paths of modules: "" or, for example, "/proc/1/root". */
struct symbols *symbols_open(const char *root);
void symbols_close(struct symbols *symbols);

/* One file; the same path with another build-id is another one. The build-id is hex, or "" if not known. */
struct symbols_module *symbols_module(struct symbols *symbols, const char *path,
                                      const char *build_id);

/* Why the module has no symbols, as the end of "PATH: ", or NULL. Known after the first symbols_find(). */
const char *symbols_problem(const struct symbols_module *module);

/* What holds the instruction before this offset, a return address as the file counts addresses. */
struct symbol symbols_find(struct symbols_module *module, uint64_t offset);

/* False if built without libdw: then nothing is ever found. */
bool symbols_are_available(void);

#endif
