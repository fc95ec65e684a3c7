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

/* The path becomes the value of an option: no comma, no %p, and the program may be in another
 * folder by then. */
static bool can_be_option(const char *folder)
{
    return folder != NULL && folder[0] == '/' && strchr(folder, ',') == NULL &&
           strchr(folder, '%') == NULL &&
           strlen(folder) < REPORT_PATH_BYTES - sizeof "/gcalloc-XXXXXX/report";
}

static int make_in(const char *parent, struct report_file *file)
{
    snprintf(file->folder, sizeof file->folder, "%s/gcalloc-XXXXXX", parent);
    if (mkdtemp(file->folder) == NULL)
        return -errno;
    snprintf(file->path, sizeof file->path, "%.*s/report", (int)sizeof file->path - 8,
             file->folder);
    file->descriptor = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file->descriptor >= 0)
        return 0;
    int result = -errno;
    rmdir(file->folder);
    return result;
}

int report_file_make(struct report_file *file_out)
{
    struct report_file file;
    const char *parent = getenv("TMPDIR");
    int result = can_be_option(parent) ? make_in(parent, &file) : -EINVAL;
    if (result != 0)
        result = make_in("/tmp", &file);
    if (result == 0)
        *file_out = file;
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
