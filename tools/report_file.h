/*
 * tools/report_file: a temporary file for what the library has to say, so that the program's own
 * output stays its own.
 */
#ifndef TOOLS_REPORT_FILE_H
#define TOOLS_REPORT_FILE_H

#include <stdbool.h>

enum { REPORT_PATH_BYTES = 256 }; /* what the option log_file holds */

struct report_file {
    int descriptor;
    char folder[REPORT_PATH_BYTES];
    char path[REPORT_PATH_BYTES];
};

/* A folder that only we may look into, whose path can be part of an option's value. Returns 0 or -errno. */
int report_file_make_folder(char folder_out[REPORT_PATH_BYTES]);

/* Returns 0 or -errno. */
int report_file_make(struct report_file *file_out);

/* Copies what was written to standard error. False when there is nothing. */
bool report_file_print(const struct report_file *file);

/* Removes the file. */
void report_file_remove(const struct report_file *file);

#endif
