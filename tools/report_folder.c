#include "tools/report_folder.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int report_folder_make(struct report_folder *folder_out)
{
    return report_file_make_folder(folder_out->path);
}

static int is_report(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

char **report_folder_files(const struct report_folder *folder, size_t *count_out)
{
    struct dirent **entries;
    int count = scandir(folder->path, &entries, is_report, versionsort);
    *count_out = 0;
    if (count < 0)
        return NULL;
    char **files = calloc((size_t)count + 1, sizeof *files);
    for (int i = 0; i < count; i++) {
        if (files != NULL && asprintf(&files[*count_out], "%s/%s", folder->path,
                                      entries[i]->d_name) >= 0)
            ++*count_out;
        free(entries[i]);
    }
    free(entries);
    return files;
}

/* What a process has made there that is no file stays, and the folder with it. */
void report_folder_remove(const struct report_folder *folder)
{
    size_t count;
    char **files = report_folder_files(folder, &count);
    for (size_t i = 0; i < count; i++) {
        unlink(files[i]);
        free(files[i]);
    }
    free(files);
    rmdir(folder->path);
}
