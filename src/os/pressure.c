/*
 * os/pressure: how short memory is.
 *
 * Locks: none.
 */
#include "os/pressure.h"

#include "os/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { FILE_BYTES = 2048, PATH_BYTES = 384 }; /* this may be a thread's with a small stack */

/* What has been read of one file, ended by a zero byte. */
struct contents {
    char bytes[FILE_BYTES];
};

struct path {
    char bytes[PATH_BYTES];
    size_t length;
};

/* What does not fit makes a path that leads nowhere. */
static void path_add(struct path *path, const char *text, size_t length)
{
    size_t left = sizeof path->bytes - 1 - path->length;
    length = length < left ? length : left;
    memcpy(path->bytes + path->length, text, length);
    path->length += length;
    path->bytes[path->length] = '\0';
}

static struct path path_of(const char *root, const char *text)
{
    struct path path = {.length = 0};
    path_add(&path, root, strlen(root));
    path_add(&path, text, strlen(text));
    return path;
}

static bool read_file(const struct path *path, struct contents *contents)
{
    int descriptor = os_open_read(path->bytes);
    if (descriptor < 0)
        return false;
    size_t used = 0;
    long count;
    while ((count = os_read(descriptor, contents->bytes + used, sizeof contents->bytes - 1 - used)) > 0)
        used += (size_t)count;
    os_close(descriptor);
    contents->bytes[used] = '\0';
    return used != 0;
}

static uint64_t number_at(const char *text)
{
    uint64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

/* The number behind the key, or `otherwise`. */
static uint64_t number_after(const char *text, const char *key, uint64_t otherwise)
{
    const char *found = strstr(text, key);
    return found == NULL ? otherwise : number_at(found + strlen(key));
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and another line that begins with "full". */
static void read_stalls(const struct path *path, struct contents *contents, struct os_pressure *pressure)
{
    if (!read_file(path, contents))
        return;
    const char *full = strstr(contents->bytes, "full");
    pressure->some_percent = (uint32_t)number_after(contents->bytes, "some avg10=", 0);
    pressure->full_percent = full != NULL ? (uint32_t)number_after(full, "avg10=", 0) : 0;
}

/* The first line of a file of a folder, as a number; "max" and what can't be read are UINT64_MAX. */
static uint64_t read_number(const struct path *folder, const char *name, struct contents *contents)
{
    struct path path = *folder;
    path_add(&path, name, strlen(name));
    if (!read_file(&path, contents) || contents->bytes[0] < '0' || contents->bytes[0] > '9')
        return UINT64_MAX;
    return number_at(contents->bytes);
}

static uint64_t read_statistic(const struct path *folder, const char *key, struct contents *contents)
{
    struct path path = *folder;
    path_add(&path, "/memory.stat", strlen("/memory.stat"));
    return read_file(&path, contents) ? number_after(contents->bytes, key, 0) : 0;
}

static void set_use(struct os_pressure *pressure, uint64_t used_bytes, uint64_t idle_bytes, uint64_t limit_bytes)
{
    if (used_bytes == UINT64_MAX || limit_bytes >= (uint64_t)1 << 60) /* version 1 says so for none */
        return;
    pressure->used_bytes = used_bytes > idle_bytes ? used_bytes - idle_bytes : 0;
    pressure->limit_bytes = limit_bytes;
}

static void read_version_2(const struct path *folder, struct contents *contents, struct os_pressure *pressure)
{
    uint64_t high = read_number(folder, "/memory.high", contents);
    uint64_t most = read_number(folder, "/memory.max", contents);
    struct path stalls = *folder;
    path_add(&stalls, "/memory.pressure", strlen("/memory.pressure"));
    read_stalls(&stalls, contents, pressure);
    if (high != UINT64_MAX || most != UINT64_MAX)
        set_use(pressure, read_number(folder, "/memory.current", contents),
                read_statistic(folder, "\ninactive_file ", contents), high < most ? high : most);
}

static void read_version_1(const struct path *folder, struct contents *contents, struct os_pressure *pressure)
{
    uint64_t limit = read_number(folder, "/memory.limit_in_bytes", contents);
    if (limit < (uint64_t)1 << 60)
        set_use(pressure, read_number(folder, "/memory.usage_in_bytes", contents),
                read_statistic(folder, "\ntotal_inactive_file ", contents), limit);
}

/* The folder of the cgroup whose line in /proc/self/cgroup has this between its number and its path. */
static bool find_folder(const char *root, const char *groups, const char *key, const char *mount, struct path *folder_out)
{
    const char *line = strstr(groups, key);
    if (line == NULL)
        return false;
    const char *name = line + strlen(key);
    *folder_out = path_of(root, mount);
    if (strcspn(name, "\n") > 1) /* "/" alone is the mount itself */
        path_add(folder_out, name, strcspn(name, "\n"));
    return true;
}

void os_pressure_read(const char *root, struct os_pressure *pressure_out)
{
    struct contents contents;
    struct path folder, path = path_of(root, "/proc/pressure/memory");
    *pressure_out = (struct os_pressure){.limit_bytes = UINT64_MAX};
    read_stalls(&path, &contents, pressure_out);
    path = path_of(root, "/proc/self/cgroup");
    if (!read_file(&path, &contents))
        return;
    if (find_folder(root, contents.bytes, ":memory:", "/sys/fs/cgroup/memory", &folder))
        read_version_1(&folder, &contents, pressure_out);
    else if (find_folder(root, contents.bytes, "0::", "/sys/fs/cgroup", &folder))
        read_version_2(&folder, &contents, pressure_out);
}
