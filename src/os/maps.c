/*
 * os/maps: what lies at an address.
 *
 * Read in small pieces, since a thread with a tiny stack may ask. Locks: none.
 */
#include "os/maps.h"

#include "os/output.h"

#include <errno.h>
#include <string.h>

struct line_reader {
    int descriptor;
    bool failed;
    size_t next;
    size_t end;
    char bytes[512];
};

static int next_byte(struct line_reader *reader)
{
    if (reader->next == reader->end) {
        long count = os_read(reader->descriptor, reader->bytes, sizeof reader->bytes);
        if (count <= 0) {
            reader->failed |= count < 0;
            return -1;
        }
        reader->next = 0;
        reader->end = (size_t)count;
    }
    return (unsigned char)reader->bytes[reader->next++];
}

static int hex_digit(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Reads a hexadecimal number and the one byte behind it. */
static uint64_t read_hex(struct line_reader *reader)
{
    uint64_t value = 0;
    int digit;
    while ((digit = hex_digit(next_byte(reader))) >= 0)
        value = value << 4 | (uint64_t)digit;
    return value;
}

static void skip_field(struct line_reader *reader)
{
    int byte;
    do
        byte = next_byte(reader);
    while (byte >= 0 && byte != ' ' && byte != '\n');
}

/* The rest of the line without leading blanks; of a long name the end is kept, which holds the file's name. */
static bool read_name(struct line_reader *reader, char *name, size_t size_bytes)
{
    size_t length = 0;
    int byte;
    while ((byte = next_byte(reader)) >= 0 && byte != '\n') {
        if (byte == ' ' && length == 0)
            continue;
        if (length == size_bytes - 1)
            memmove(name, name + 1, --length);
        name[length++] = (char)byte;
    }
    name[length] = '\0';
    return byte >= 0;
}

static bool read_mapping(struct line_reader *reader, struct os_mapping *mapping)
{
    mapping->start = read_hex(reader);
    mapping->end = read_hex(reader);
    mapping->readable = next_byte(reader) == 'r';
    mapping->writable = next_byte(reader) == 'w';
    mapping->executable = next_byte(reader) == 'x';
    skip_field(reader); /* private or shared */
    mapping->file_offset = read_hex(reader);
    skip_field(reader); /* device */
    skip_field(reader); /* inode */
    return read_name(reader, mapping->name, sizeof mapping->name);
}

int os_mapping_find(uintptr_t address, struct os_mapping *mapping_out)
{
    struct line_reader reader = {.descriptor = os_open_read("/proc/thread-self/maps")};
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
    os_close(reader.descriptor);
    return result == -ENOENT && reader.failed ? -EIO : result;
}
