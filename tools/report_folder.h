/*
 * tools/report_folder: a private folder for the reports of a program and its children.
 */
#ifndef TOOLS_REPORT_FOLDER_H
#define TOOLS_REPORT_FOLDER_H

#include "tools/report_file.h"

#include <stddef.h>

struct report_folder {
    char path[REPORT_PATH_BYTES];
};

/* Returns 0 or -errno. */
int report_folder_make(struct report_folder *folder_out);

/* The paths of its files, in the order of their names; the caller frees each and the list. */
char **report_folder_files(const struct report_folder *folder, size_t *count_out);

/* Removes it with its files. */
void report_folder_remove(const struct report_folder *folder);

#endif
