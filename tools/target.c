/*
 * tools/target: a process looked into from outside.
 */
#include "tools/target.h"

#include "base/image.h"
#include "tools/core_file.h"
#include "tools/elf_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Opens a file in a thread's folder for reading; NULL and errno. */
static FILE *open_file(const struct target *target, pid_t thread, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "task/%d/%s", (int)thread, name);
    int descriptor = openat(target->folder, path, O_RDONLY | O_CLOEXEC);
    return descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
}

/* 0 when the thread still has its memory, -ESRCH when it has ended, or what forbids us to look. */
static int check_thread(const struct target *target, pid_t thread)
{
    FILE *maps = open_file(target, thread, "maps");
    if (maps == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    errno = 0;
    int first = getc(maps);
    int result = first != EOF ? 0 : errno != 0 ? -errno : -ESRCH;
    fclose(maps);
    return result;
}

static int open_threads(const struct target *target, DIR **threads_out)
{
    int folder = openat(target->folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    *threads_out = fdopendir(folder);
    return *threads_out != NULL ? 0 : -errno;
}

/* What a process without any memory is: one of the kernel's own, which can't run on anything, or one that has ended. */
static int judge_empty(const struct target *target)
{
    char state = 'Z';
    FILE *file = open_file(target, target->process_id, "stat");
    if (file == NULL)
        return -ESRCH;
    int fields = fscanf(file, "%*d (%*[^)]) %c", &state);
    fclose(file);
    return fields == 1 && state != 'Z' && state != 'X' ? -ENOEXEC : -ESRCH;
}

static int find_thread(struct target *target)
{
    DIR *threads;
    int result = open_threads(target, &threads);
    if (result != 0)
        return result;
    result = -ESRCH;
    const struct dirent *entry;
    while (result == -ESRCH && (entry = readdir(threads)) != NULL) {
        pid_t thread = atoi(entry->d_name);
        if (thread > 0)
            result = check_thread(target, thread);
        if (result == 0)
            target->thread_id = thread;
    }
    closedir(threads);
    return result == -ESRCH ? judge_empty(target) : result;
}

/* The address a module was loaded at, from a line of maps; 0 when the line does not begin a file's
 * mapping. */
static uintptr_t module_start(const char *line)
{
    uintptr_t start;
    unsigned long offset;
    unsigned long inode;
    int fields = sscanf(line, "%lx-%*x %*s %lx %*s %lu", &start, &offset, &inode);
    return fields == 3 && offset == 0 && inode != 0 ? start : 0;
}

/* 0 when the module has the variable and a heap; -EAGAIN: no heap so far. */
static int ask_module(const struct target *target, uintptr_t module, uintptr_t *image_out)
{
    uintptr_t variable;
    uintptr_t image = 0;
    int result = elf_memory_symbol(target, module, "gca_image", &variable);
    if (result == 0)
        result = target_read_all(target, variable, &image, sizeof image);
    if (result != 0)
        return result;
    if (image == 0)
        return -EAGAIN;
    *image_out = image;
    return 0;
}

/*
 * Every module is asked for the variable, whatever its file is called, and answers from memory: the
 * file may have been replaced, deleted or lie where we can't see it. A module that makes no sense
 * is none of ours.
 */
static int ask_modules(struct target *target, FILE *maps)
{
    int result = -ENOEXEC;
    char *line = NULL;
    size_t line_bytes = 0;
    while (result != 0 && result != -EPERM && result != -ESRCH &&
           getline(&line, &line_bytes, maps) > 0) {
        uintptr_t start = module_start(line);
        int answer = start != 0 ? ask_module(target, start, &target->image_address) : -ENOENT;
        if (answer == 0)
            target->library_start = start;
        if (answer == 0 || answer == -EAGAIN || answer == -EPERM || answer == -ESRCH)
            result = answer;
    }
    free(line);
    return result;
}

int target_find_image(struct target *target)
{
    int result = find_thread(target);
    if (result != 0)
        return result;
    FILE *maps = open_file(target, target->thread_id, "maps");
    if (maps == NULL)
        return -errno;
    result = ask_modules(target, maps);
    fclose(maps);
    return result;
}

int target_attach(pid_t process_id, struct target *target_out)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)process_id);
    struct target target = {.process_id = process_id};
    target.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (target.folder < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    int result = target_find_image(&target);
    if (result == 0)
        *target_out = target;
    else
        close(target.folder);
    return result;
}

/*
 * The image begins with a word of its own and names the address it lies at. It is looked for where reservations begin,
 * since the symbol that leads to it is in pages that cores usually leave out.
 */
static bool is_image_at(const struct core_file *core, uintptr_t address)
{
    struct {
        char magic[sizeof((struct image *)0)->magic];
        uint32_t version, header_bytes;
    } head;
    return core_read(core, address, &head, sizeof head) == (ssize_t)sizeof head &&
           memcmp(head.magic, IMAGE_MAGIC, sizeof head.magic) == 0;
}

int target_attach_core(const struct core_file *core, struct target *target_out)
{
    enum { STEP_BYTES = 2 * 1024 * 1024 }; /* what reservations are aligned to */
    struct target target = {.core = core, .process_id = core->process_id, .folder = -1};
    for (size_t i = 0; i < core->segment_count; i++) {
        const struct core_segment *segment = &core->segments[i];
        uintptr_t address = (segment->start + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
        for (; address >= segment->start && address - segment->start < segment->file_bytes; address += STEP_BYTES)
            if (is_image_at(core, address)) {
                target.image_address = address;
                *target_out = target;
                return 0;
            }
    }
    return core->missing_bytes != 0 ? -ENODATA : -ENOEXEC;
}

const char *target_problem(int error)
{
    switch (-error) {
    case ESRCH:
        return "there is no such process";
    case EPERM:
    case EACCES:
        return "not permitted: only who may trace a process may look into it, see ptrace(2)";
    case ENOEXEC:
        return "it does not run on gcalloc";
    case EAGAIN:
        return "it has not allocated anything so far";
    case EPROTO:
        return "its heap is of another version of gcalloc than this command, or damaged";
    case EEXIST:
        return "its heap lies at addresses that are taken here";
    case ENODATA:
        return "the core file is cut short: the heap's tables are not in it";
    case ELIBBAD:
        return "it is no core file";
    case EBADMSG:
        return "it was written on another kind of machine";
    case ETIMEDOUT:
        return "it can't be stopped: a thread does not answer (in vfork, or waiting for a device)";
    case EBUSY:
        return "it is being traced by another process";
    case EKEYREJECTED:
        return "refused: it changed its rights when it started, or does not want to be dumped";
    case EOVERFLOW:
        return "there is not enough free memory here to copy its heap";
    default:
        return strerror(-error);
    }
}

ssize_t target_read(const struct target *target, uintptr_t address, void *bytes_out,
                    size_t size_bytes)
{
    if (target->core != NULL)
        return core_read(target->core, address, bytes_out, size_bytes);
    struct iovec local = {bytes_out, size_bytes};
    struct iovec remote = {(void *)address, size_bytes};
    ssize_t count = process_vm_readv(target->thread_id, &local, 1, &remote, 1, 0);
    return count >= 0 ? count : -errno;
}

int target_read_all(const struct target *target, uintptr_t address, void *bytes_out,
                    size_t size_bytes)
{
    ssize_t count = target_read(target, address, bytes_out, size_bytes);
    if (count < 0)
        return (int)count;
    return (size_t)count == size_bytes ? 0 : -EFAULT;
}

void target_name(const struct target *target, char *name_out, size_t size_bytes)
{
    snprintf(name_out, size_bytes, "%s", target->core != NULL ? target->core->name : "?");
    if (target->core != NULL)
        return;
    FILE *file = open_file(target, target->thread_id, "comm");
    if (file == NULL)
        return;
    if (fgets(name_out, (int)size_bytes, file) != NULL)
        name_out[strcspn(name_out, "\n")] = '\0';
    fclose(file);
    /* A process chooses its own name; our terminal should not obey it. */
    for (char *byte = name_out; *byte != '\0'; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 127)
            *byte = '?';
}

uint64_t target_resident_bytes(const struct target *target)
{
    FILE *file = open_file(target, target->thread_id, "statm");
    if (file == NULL)
        return 0;
    unsigned long pages;
    int fields = fscanf(file, "%*u %lu", &pages);
    fclose(file);
    return fields == 1 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void target_detach(struct target *target)
{
    if (target->folder >= 0)
        close(target->folder);
}
