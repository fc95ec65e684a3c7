#include "tools/report/debug_file.h"

#include "tools/report/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

/* A path from a report may name anything: only files are opened, and nothing that would block. */
static int open_regular(const char *path)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor >= 0 && (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* The base is 0 and the file's own addresses are added: every address is then as the file counts it. */
static bool open_module(struct debug_file *file, const char *path, int descriptor)
{
    GElf_Addr bias;
    file->session = dwfl_begin(&callbacks);
    if (file->session == NULL) {
        close(descriptor);
        return false;
    }
    dwfl_report_begin(file->session);
    file->module =
        dwfl_report_elf(file->session, text_base_name(path), path, descriptor, 0, true);
    if (file->module == NULL)
        close(descriptor);
    dwfl_report_end(file->session, NULL, NULL);
    if (file->module != NULL && dwfl_module_getelf(file->module, &bias) != NULL && bias == 0)
        return true;
    debug_file_close(file);
    return false;
}

static bool same_build_id(const struct debug_file *file, const char *wanted)
{
    const unsigned char *bits;
    GElf_Addr address;
    char hex[129] = "";
    int length = dwfl_module_build_id(file->module, &bits, &address);
    if (*wanted == '\0' || length <= 0)
        return *wanted == '\0';
    for (int i = 0; i < length && i < 64; i++)
        snprintf(hex + 2 * i, 3, "%02x", bits[i]);
    return strcasecmp(hex, wanted) == 0;
}

/* /usr/lib/debug/.build-id/ab/cdef….debug; whoever keeps those may keep them longer than the program. */
static bool open_by_build_id(struct debug_file *file, const char *build_id)
{
    if (strlen(build_id) < 6 || build_id[strspn(build_id, "0123456789abcdefABCDEF")] != '\0')
        return false;
    char *path = memory_format("/usr/lib/debug/.build-id/%.2s/%s.debug", build_id, build_id + 2);
    int descriptor = open_regular(path);
    bool is_open = descriptor >= 0 && open_module(file, path, descriptor);
    free(path);
    if (is_open && !same_build_id(file, build_id))
        debug_file_close(file);
    return file->module != NULL;
}

void debug_file_open(struct debug_file *file, const char *path, const char *build_id)
{
    memset(file, 0, sizeof *file);
    int descriptor = strchr(path, '/') != NULL ? open_regular(path) : -1;
    if (descriptor >= 0 && open_module(file, path, descriptor)) {
        if (same_build_id(file, build_id))
            return;
        debug_file_close(file);
        file->problem = "has changed since: its build-id is another one";
    } else {
        file->problem = descriptor >= 0 ? "is not an object file" : "can't be opened";
    }
    if (open_by_build_id(file, build_id))
        file->problem = NULL;
}

void debug_file_close(struct debug_file *file)
{
    if (file->session != NULL)
        dwfl_end(file->session);
    file->session = NULL;
    file->module = NULL;
}
