/*
 * os/maps: what lies at an address, and the table of all mappings.
 *
 * One address is looked up in small pieces, since a thread with a tiny stack may ask. Locks: none.
 */
#include "os/maps.h"

#include "os/memory.h"
#include "os/reader.h"

#include <errno.h>
#include <string.h>

/* Not "self": that reads empty once the process's first thread has ended. */
#define MAPS_PATH "/proc/thread-self/maps"

/* The rest of the line without leading blanks; of a long name the end is kept, which holds the file's name. */
static bool read_name(struct os_reader *reader, char *name, size_t size_bytes)
{
    size_t length = 0;
    int byte;
    for (byte = os_reader_skip_blanks(reader); byte >= 0 && byte != '\n'; byte = os_reader_byte(reader)) {
        if (length == size_bytes - 1)
            memmove(name, name + 1, --length);
        name[length++] = (char)byte;
    }
    name[length] = '\0';
    return byte >= 0;
}

static const struct {
    char name[24];
    uint8_t habits;
} libraries[] = {
    {"/libfontconfig.so", OS_MAP_DISTANCES},
    {"/libswipl.so", OS_MAP_HIDES}, /* arrays of atoms, by addresses from which the index of their first has been subtracted */
};

enum { LIBRARIES = sizeof libraries / sizeof libraries[0] };

/* A search for the names of all libraries at once, a byte at a time: how much of each has been met. */
struct search {
    uint8_t met[LIBRARIES];
};

/* The first byte of a name is nowhere else in it. */
static void search_on(struct search *search, int byte)
{
    for (size_t i = 0; i < LIBRARIES; i++) {
        char wanted = libraries[i].name[search->met[i]];
        if (byte == wanted)
            search->met[i]++;
        else if (wanted != '\0')
            search->met[i] = byte == libraries[i].name[0];
    }
}

static uint8_t search_result(const struct search *search)
{
    uint8_t habits = 0;
    for (size_t i = 0; i < LIBRARIES; i++)
        if (libraries[i].name[search->met[i]] == '\0')
            habits |= libraries[i].habits;
    return habits;
}

uint8_t os_map_habits(const char *name)
{
    struct search search = {0};
    for (; *name != '\0'; name++)
        search_on(&search, *name);
    return search_result(&search);
}

/* Of the name at the end of a line. */
struct tail {
    char prefix[64]; /* its start, which says what sort of thing it is */
    bool deleted;    /* of a file that was deleted, which the kernel says at the end, in parentheses */
    uint8_t habits;
};

static bool read_tail(struct os_reader *reader, struct tail *tail)
{
    struct search search = {0};
    size_t length = 0;
    int byte, last = 0;
    for (byte = os_reader_skip_blanks(reader); byte >= 0 && byte != '\n'; byte = os_reader_byte(reader)) {
        if (length < sizeof tail->prefix - 1)
            tail->prefix[length++] = (char)byte;
        search_on(&search, byte);
        last = byte;
    }
    tail->prefix[length] = '\0';
    tail->deleted = last == ')';
    tail->habits = search_result(&search);
    return byte >= 0;
}

/* What each line begins with, up to the blank behind it. */
struct head {
    uintptr_t start;
    uintptr_t end;
    bool readable;
    bool writable;
    bool executable;
    bool shared;
};

static struct head read_head(struct os_reader *reader)
{
    struct head head;
    head.start = os_reader_hex(reader);
    head.end = os_reader_hex(reader);
    head.readable = os_reader_byte(reader) == 'r';
    head.writable = os_reader_byte(reader) == 'w';
    head.executable = os_reader_byte(reader) == 'x';
    head.shared = os_reader_byte(reader) == 's';
    os_reader_byte(reader);
    return head;
}

static bool read_mapping(struct os_reader *reader, struct os_mapping *mapping)
{
    struct head head = read_head(reader);
    mapping->start = head.start;
    mapping->end = head.end;
    mapping->readable = head.readable;
    mapping->writable = head.writable;
    mapping->executable = head.executable;
    mapping->file_offset = os_reader_hex(reader);
    os_reader_skip_field(reader); /* device */
    os_reader_skip_field(reader); /* inode */
    return read_name(reader, mapping->name, sizeof mapping->name);
}

int os_mapping_find(uintptr_t address, struct os_mapping *mapping_out)
{
    char bytes[512];
    struct os_reader reader = os_reader_open(MAPS_PATH, bytes, sizeof bytes);
    if (reader.descriptor < 0)
        return -EIO;
    int result = -ENOENT;
    struct os_mapping mapping;
    while (read_mapping(&reader, &mapping))
        if (address >= mapping.start && address < mapping.end) {
            *mapping_out = mapping;
            result = 0;
            break;
        }
    os_reader_close(&reader);
    return result == -ENOENT && reader.failed ? -EIO : result;
}

/* By the start of the name: the first row that fits. Everything else that has a name is a file. */
static const struct {
    char prefix[24];
    enum os_map_kind kind;
} kinds[] = {
    {"[stack", OS_MAP_STACK},
    {"[heap]", OS_MAP_PRIVATE},
    {"[anon", OS_MAP_PRIVATE}, /* [anon:name], and [anon_shmem:name] where shared */
    {"[", OS_MAP_DEVICE},      /* vdso, vvar, vsyscall, uprobes */
    {"/dev/zero", OS_MAP_SHARED},
    {"/memfd:", OS_MAP_SHARED},
    {"/SYSV", OS_MAP_SHARED},
    {"/dev/shm/", OS_MAP_SHARED},
    {"/dev/hugepages/", OS_MAP_FILE},
    {"/secretmem", OS_MAP_SECRET},
    {"anon_inode:[io_uring]", OS_MAP_RING},
    {"/[aio]", OS_MAP_RING},
    {"anon_inode:", OS_MAP_DEVICE},
    {"/dev/", OS_MAP_DEVICE},
    {"/sys/", OS_MAP_DEVICE},
    {"/proc/", OS_MAP_DEVICE},
    {"/dmabuf", OS_MAP_DEVICE},
    {"/drm ", OS_MAP_DEVICE},
    {"/i915", OS_MAP_DEVICE},
    {"socket:", OS_MAP_DEVICE},
};

enum os_map_kind os_map_kind_of(const char *name, bool shared, bool deleted)
{
    enum os_map_kind kind = name[0] == '\0' ? OS_MAP_PRIVATE : OS_MAP_FILE;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && name[0] != '\0'; i++)
        if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
            kind = kinds[i].kind;
            break;
        }
    if (shared && kind == OS_MAP_FILE)
        return deleted ? OS_MAP_SHARED : OS_MAP_FILE_SHARED;
    return shared && kind == OS_MAP_PRIVATE ? OS_MAP_SHARED : kind;
}

static bool read_entry(struct os_reader *reader, struct os_map *map, uint8_t *habits)
{
    struct head head = read_head(reader);
    map->start = head.start;
    map->end = head.end;
    map->readable = head.readable;
    map->writable = head.writable;
    map->executable = head.executable;
    map->file = os_reader_digest_field(reader, 0); /* offset */
    map->file = os_reader_digest_field(reader, map->file); /* device */
    map->file = os_reader_digest_field(reader, map->file); /* inode */
    struct tail tail;
    bool whole = read_tail(reader, &tail);
    map->kind = (uint8_t)os_map_kind_of(tail.prefix, head.shared, tail.deleted);
    *habits |= tail.habits;
    return whole;
}

enum { TABLE_BYTES_MIN = 16384 };

/* Returns 0; -EAGAIN when the table had to grow, which changes the mappings; or -errno. */
static int read_all(struct os_maps *maps, char *text, size_t text_bytes)
{
    struct os_reader reader = os_reader_open(MAPS_PATH, text, text_bytes);
    if (reader.descriptor < 0)
        return reader.descriptor;
    int result = 0;
    struct os_map map;
    maps->count = 0;
    maps->habits = 0;
    while (result == 0 && read_entry(&reader, &map, &maps->habits)) {
        if ((maps->count + 1) * sizeof map > maps->size_bytes)
            result = -EAGAIN;
        else
            maps->entries[maps->count++] = map;
    }
    os_reader_close(&reader);
    return result == 0 && (reader.failed || maps->count == 0) ? -EIO : result;
}

int os_maps_read(struct os_maps *maps, char *text, size_t text_bytes)
{
    for (;;) {
        int result = maps->size_bytes == 0 ? -EAGAIN : read_all(maps, text, text_bytes);
        if (result != -EAGAIN)
            return result;
        size_t wanted_bytes = maps->size_bytes == 0 ? TABLE_BYTES_MIN : 2 * maps->size_bytes;
        wanted_bytes = wanted_bytes < os_page_bytes() ? os_page_bytes() : wanted_bytes;
        void *entries = maps->entries;
        result = os_working_area(&entries, maps->size_bytes, wanted_bytes);
        if (result != 0)
            return result;
        maps->entries = entries;
        maps->size_bytes = wanted_bytes;
    }
}
