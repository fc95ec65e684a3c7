/*
 * tools/report_file: a temporary file for what the library has to say.
 *
 * It lies in a folder of its own: once that is removed, a process that outlives the program can't
 * make the file anew under a name that others could have taken meanwhile. The library then writes
 * to standard error.
 */
#include "tools/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Macros, since the compiler joins them, for a length and for a format. */
#define FOLDER_TEMPLATE "/gcalloc-XXXXXX" /* as mkdtemp() wants it */
#define FILE_NAME "/report"
#define LONGEST_SUFFIX ".1234567890" /* a process's id: the library adds one where several processes write */

/* The path becomes the value of an option: no comma, no %p, and the program may be in another
 * folder by then. */
static bool can_be_option(const char *folder)
{
    return folder != NULL && folder[0] == '/' && strchr(folder, ',') == NULL &&
           strchr(folder, '%') == NULL &&
           strlen(folder) < REPORT_PATH_BYTES - sizeof FOLDER_TEMPLATE FILE_NAME LONGEST_SUFFIX;
}

static int make_folder_in(const char *parent, char *folder_out)
{
    snprintf(folder_out, REPORT_PATH_BYTES, "%s" FOLDER_TEMPLATE, parent);
    return mkdtemp(folder_out) != NULL ? 0 : -errno;
}

int report_file_make_folder(char folder_out[REPORT_PATH_BYTES])
{
    const char *parent = getenv("TMPDIR");
    int result = can_be_option(parent) ? make_folder_in(parent, folder_out) : -EINVAL;
    return result == 0 ? 0 : make_folder_in("/tmp", folder_out);
}

int report_file_make(struct report_file *file_out)
{
    struct report_file file;
    int result = report_file_make_folder(file.folder);
    if (result != 0)
        return result;
    snprintf(file.path, sizeof file.path, "%.*s" FILE_NAME,
             (int)(sizeof file.path - sizeof FILE_NAME), file.folder);
    file.descriptor = open(file.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file.descriptor >= 0) {
        *file_out = file;
        return 0;
    }
    result = -errno;
    rmdir(file.folder);
    return result;
}

bool report_file_print(const struct report_file *file)
{
    char bytes[4096];
    off_t offset = 0;
    ssize_t length;
    while ((length = pread(file->descriptor, bytes, sizeof bytes, offset)) > 0) {
        fwrite(bytes, 1, (size_t)length, stderr);
        offset += length;
    }
    return offset > 0;
}

void report_file_remove(const struct report_file *file)
{
    close(file->descriptor);
    unlink(file->path);
    rmdir(file->folder);
}
