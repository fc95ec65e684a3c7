/*
 * tools/library: where libgcalloc.so is.
 *
 * The command's own place comes before the configured folder, so that a build tree runs its own
 * library and an installed tree may be moved as a whole.
 */
#include "tools/library.h"

#include "tools/say.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* GCALLOC_MULTIARCH is Debian's name of this machine, "x86_64-linux-gnu", or ".". */
static const char *const beside_the_command[] = {
    ".libs", /* the build tree: the command at its top */
    ".",     /* the build tree, through libtool's wrapper */
    ("../lib/" GCALLOC_MULTIARCH),
    "../lib64",
    "../lib",
};

static char *existing(const char *path)
{
    struct stat file;
    if (stat(path, &file) != 0 || !S_ISREG(file.st_mode) || access(path, R_OK) != 0)
        return NULL;
    return realpath(path, NULL);
}

/* The folder that holds the running command; 0 or -1. */
static int own_folder(char folder_out[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder_out, PATH_MAX - 1);
    if (length <= 0)
        return -1;
    folder_out[length] = '\0';
    char *slash = strrchr(folder_out, '/');
    if (slash == NULL)
        return -1;
    *slash = '\0';
    return 0;
}

static char *find_beside_command(void)
{
    char folder[PATH_MAX];
    if (own_folder(folder) != 0)
        return NULL;
    char *found = NULL;
    for (size_t i = 0;
         found == NULL && i < sizeof beside_the_command / sizeof beside_the_command[0]; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s/%s/libgcalloc.so", folder, beside_the_command[i]);
        found = existing(path);
    }
    return found;
}

static char *find_named(const char *path, const char *named_by)
{
    char *found = existing(path);
    if (found == NULL)
        say_error("%s names no library: %s: %m", named_by, path);
    return found;
}

char *library_find(const char *given)
{
    if (given != NULL)
        return find_named(given, "--library");
    const char *variable = getenv("GCALLOC_LIBRARY");
    if (variable != NULL && *variable != '\0')
        return find_named(variable, "GCALLOC_LIBRARY");
    char *found = find_beside_command();
    if (found == NULL)
        found = existing(GCALLOC_LIBDIR "/libgcalloc.so");
    if (found == NULL)
        say_error(
            "libgcalloc.so found neither near the command nor in %s; say where with --library",
            GCALLOC_LIBDIR);
    return found;
}
