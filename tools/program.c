/*
 * tools/program: what stands between a program file and a preloaded library.
 *
 * Only a guess made beforehand, to explain why nothing will happen: the kernel and ld.so decide. So
 * whatever can't be read here counts as no hindrance, and execve says what is wrong with it.
 */
#include "tools/program.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The kernel follows as many scripts that name scripts as their interpreter. */
enum { INTERPRETER_DEPTH_MAX = 4, SCRIPT_LINE_BYTES = 256 };

static bool is_executable_file(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && access(path, X_OK) == 0;
}

/* execvp's search; path_out is left alone when nothing is found. */
static bool find_in_path(const char *name, char path_out[PATH_MAX])
{
    const char *folders = getenv("PATH");
    if (folders == NULL)
        folders = "/bin:/usr/bin";
    for (;;) {
        int length = (int)strcspn(folders, ":");
        char path[PATH_MAX];
        int written =
            snprintf(path, sizeof path, "%.*s%s%s", length, folders, length > 0 ? "/" : "", name);
        if (written < PATH_MAX && is_executable_file(path)) {
            strcpy(path_out, path);
            return true;
        }
        if (folders[length] == '\0')
            return false;
        folders += length + 1;
    }
}

static bool find_program(const char *name, char path_out[PATH_MAX])
{
    if (strchr(name, '/') == NULL)
        return find_in_path(name, path_out);
    if (strlen(name) >= PATH_MAX || !is_executable_file(name))
        return false;
    strcpy(path_out, name);
    return true;
}

/* The interpreter named in the first line of a script. */
static bool read_script_line(int file, char path_out[PATH_MAX])
{
    char line[SCRIPT_LINE_BYTES];
    ssize_t length = pread(file, line, sizeof line - 1, 0);
    if (length < 3 || line[0] != '#' || line[1] != '!')
        return false;
    line[length] = '\0';
    const char *start = line + 2 + strspn(line + 2, " \t");
    int path_length = (int)strcspn(start, " \t\n");
    snprintf(path_out, PATH_MAX, "%.*s", path_length, start);
    return path_length > 0;
}

static bool is_privileged(const char *path)
{
    struct stat file;
    struct statvfs mount;
    if (stat(path, &file) != 0 || (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0))
        return false;
    return ((file.st_mode & S_ISUID) != 0 && file.st_uid != getuid()) ||
           ((file.st_mode & S_ISGID) != 0 && (file.st_mode & S_IXGRP) != 0 &&
            file.st_gid != getgid()) ||
           (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0);
}

static bool is_for_this_machine(const ElfW(Ehdr) * header)
{
    ElfW(Ehdr) own;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool known = file >= 0 && pread(file, &own, sizeof own, 0) == (ssize_t)sizeof own;
    if (file >= 0)
        close(file);
    return !known || (memcmp(header->e_ident + EI_CLASS, own.e_ident + EI_CLASS, 2) == 0 &&
                      header->e_machine == own.e_machine);
}

/* Position-independent programs say so; ld.so itself, started as a program, does not, and it does
 * preload. */
static bool says_it_is_a_program(int file, const ElfW(Phdr) * dynamic)
{
    bool says_so = false;
    for (size_t offset = 0; offset + sizeof(ElfW(Dyn)) <= dynamic->p_filesz;
         offset += sizeof(ElfW(Dyn))) {
        ElfW(Dyn) entry;
        if (pread(file, &entry, sizeof entry, (off_t)(dynamic->p_offset + offset)) !=
                (ssize_t)sizeof entry ||
            entry.d_tag == DT_NULL)
            break;
        says_so |= entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0;
    }
    return says_so;
}

static bool is_static(int file, const ElfW(Ehdr) * header)
{
    bool is_a_program = header->e_type == ET_EXEC;
    for (size_t i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        off_t offset = (off_t)(header->e_phoff + i * sizeof segment);
        if (pread(file, &segment, sizeof segment, offset) != (ssize_t)sizeof segment ||
            segment.p_type == PT_INTERP)
            return false;
        if (segment.p_type == PT_DYNAMIC)
            is_a_program |= says_it_is_a_program(file, &segment);
    }
    return is_a_program;
}

static const char *elf_hindrance(int file)
{
    ElfW(Ehdr) header;
    if (pread(file, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return NULL;
    if (!is_for_this_machine(&header))
        return "a program for another kind of machine than the library";
    if (header.e_phentsize == sizeof(ElfW(Phdr)) && is_static(file, &header))
        return "statically linked: it brings its own malloc";
    return NULL;
}

static const char *file_hindrance(const char *path, int depth)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char interpreter[PATH_MAX];
    bool is_script = file >= 0 && read_script_line(file, interpreter);
    const char *hindrance = file < 0 || is_script ? NULL : elf_hindrance(file);
    if (file >= 0)
        close(file);
    if (is_script)
        return depth < INTERPRETER_DEPTH_MAX ? file_hindrance(interpreter, depth + 1) : NULL;
    /* The set-uid bit of a script means nothing, that of an unreadable program does. */
    if (hindrance == NULL && is_privileged(path))
        return "set-uid, set-gid or has capabilities: the loader ignores LD_PRELOAD";
    return hindrance;
}

const char *program_hindrance(const char *name)
{
    char path[PATH_MAX];
    return find_program(name, path) ? file_hindrance(path, 0) : NULL;
}
