/*
 * tools/held: values that a process has given to the kernel, read from its /proc: see os/held, which does it for itself.
 */
#include "tools/held.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_value(struct snapshot *snapshot, struct snapshot_value value)
{
    size_t count = snapshot->value_count;
    if ((count & (count + 1)) == 0) {
        struct snapshot_value *values = realloc(snapshot->values, (2 * count + 1) * sizeof *values);
        if (values == NULL)
            return -ENOMEM;
        snapshot->values = values;
    }
    snapshot->values[snapshot->value_count++] = value;
    return 0;
}

/* By a thread that lives: the first one may have ended, and then has no files any more. */
static int open_at(const struct target *target, const char *name, int flags)
{
    char path[320];
    snprintf(path, sizeof path, "task/%d/%s", (int)target->thread_id, name);
    return openat(target->folder, path, flags | O_RDONLY | O_CLOEXEC);
}

static FILE *open_in(const struct target *target, const char *name)
{
    int descriptor = open_at(target, name, 0);
    return descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
}

/* ---- which descriptors ---- */

static int add_epoll(struct held_list *list, int number)
{
    if ((list->count & (list->count + 1)) == 0) {
        int *epolls = realloc(list->epolls, (2 * list->count + 1) * sizeof *epolls);
        if (epolls == NULL)
            return -ENOMEM;
        list->epolls = epolls;
    }
    list->epolls[list->count++] = number;
    return 0;
}

static int list_file(struct held_list *list, int folder, const char *number)
{
    static const char epoll[] = "anon_inode:[eventpoll]", tracking[] = "anon_inode:[userfaultfd]";
    char name[sizeof tracking];
    ssize_t length = readlinkat(folder, number, name, sizeof name);
    if (length == sizeof tracking - 1 && memcmp(name, tracking, sizeof tracking - 1) == 0)
        list->tracks_writes = true;
    bool is_epoll = length == sizeof epoll - 1 && memcmp(name, epoll, sizeof epoll - 1) == 0;
    return is_epoll ? add_epoll(list, atoi(number)) : 0;
}

int held_list(const struct target *target, struct held_list *list_out)
{
    struct held_list list = {0};
    int folder = open_at(target, "fd", O_DIRECTORY);
    DIR *files = folder >= 0 ? fdopendir(folder) : NULL;
    if (files == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(files)) != NULL)
        result = list_file(&list, folder, entry->d_name);
    closedir(files);
    if (result == 0)
        *list_out = list;
    else
        held_list_free(&list);
    return result;
}

void held_list_free(struct held_list *list)
{
    free(list->epolls);
    *list = (struct held_list){0};
}

/* ---- what they hold ---- */

/* "tfd:        5 events:       19 data:     7f3a12345678  pos:0 ino:c sdev:f" */
static int read_epoll(struct snapshot *snapshot, int number)
{
    char path[32], line[512];
    snprintf(path, sizeof path, "fdinfo/%d", number);
    FILE *file = open_in(&snapshot->target, path);
    if (file == NULL)
        return errno == ENOENT ? 0 : -errno;
    int result = 0;
    while (result == 0 && fgets(line, sizeof line, file) != NULL) {
        const char *data = strstr(line, "data:");
        if (data != NULL && strncmp(line, "tfd:", 4) == 0)
            result = add_value(snapshot, (struct snapshot_value){strtoull(data + 5, NULL, 16), HELD_BY_EPOLL, number});
    }
    fclose(file);
    return result;
}

/* "ID: 3", then "signal: 60/00007fff86e452a8". */
static int read_timers(struct snapshot *snapshot)
{
    char line[256];
    int descriptor = openat(snapshot->target.folder, "timers", O_RDONLY | O_CLOEXEC); /* threads have no such file */
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (file == NULL)
        return 0; /* a kernel that does not show them */
    int result = 0, number = 0;
    while (result == 0 && fgets(line, sizeof line, file) != NULL) {
        const char *value = strchr(line, '/');
        if (strncmp(line, "ID: ", 4) == 0)
            number = atoi(line + 4);
        else if (strncmp(line, "signal: ", 8) == 0 && value != NULL)
            result = add_value(snapshot, (struct snapshot_value){strtoull(value + 1, NULL, 16), HELD_BY_TIMER, number});
    }
    fclose(file);
    return result;
}

int held_read(struct snapshot *snapshot, const struct held_list *list)
{
    int result = 0;
    for (size_t i = 0; i < list->count && result == 0; i++)
        result = read_epoll(snapshot, list->epolls[i]);
    return result == 0 ? read_timers(snapshot) : result;
}

static bool has_epoll(const struct held_list *list, int number)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->epolls[i] == number)
            return true;
    return false;
}

int held_read_new(struct snapshot *snapshot, const struct held_list *before, const struct held_list *now)
{
    int result = 0;
    for (size_t i = 0; i < now->count && result == 0; i++)
        if (!has_epoll(before, now->epolls[i]))
            result = read_epoll(snapshot, now->epolls[i]);
    return result;
}
