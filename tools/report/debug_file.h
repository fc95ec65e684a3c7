/*
 * tools/report/debug_file: one file opened by libdwfl, with its debug file, at the addresses that the file itself counts.
 */
#ifndef TOOLS_REPORT_DEBUG_FILE_H
#define TOOLS_REPORT_DEBUG_FILE_H

#include <elfutils/libdwfl.h>

struct debug_file {
    Dwfl *session;
    Dwfl_Module *module; /* NULL: see the problem */
    const char *problem; /* also set where another file had to do */
};

/* The build-id is hex or "". Where the file has another one, or is gone, a debug file with that build-id is looked for. */
void debug_file_open(struct debug_file *file, const char *path, const char *build_id);
void debug_file_close(struct debug_file *file);

#endif
