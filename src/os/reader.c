/*
 * os/reader: a file of the kernel's, byte by byte.
 *
 * Locks: none.
 */
#include "os/reader.h"

#include "os/output.h"

struct os_reader os_reader_open(const char *path, char *bytes, size_t size_bytes)
{
    return (struct os_reader){
        .descriptor = os_open_read(path),
        .bytes = bytes,
        .size_bytes = size_bytes,
    };
}

void os_reader_close(struct os_reader *reader)
{
    if (reader->descriptor >= 0)
        os_close(reader->descriptor);
}

int os_reader_byte(struct os_reader *reader)
{
    if (reader->next == reader->end) {
        long count = reader->ended ? 0 : os_read(reader->descriptor, reader->bytes, reader->size_bytes);
        if (count <= 0) {
            reader->failed |= count < 0;
            reader->ended = true;
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

uint64_t os_reader_hex(struct os_reader *reader)
{
    uint64_t value = 0;
    int digit;
    for (int byte = os_reader_skip_blanks(reader); (digit = hex_digit(byte)) >= 0; byte = os_reader_byte(reader))
        value = value << 4 | (uint64_t)digit;
    return value;
}

bool os_reader_skip_to(struct os_reader *reader, const char *text)
{
    const char *next = text;
    int byte;
    while (*next != '\0' && (byte = os_reader_byte(reader)) >= 0) {
        if (byte != (unsigned char)*next)
            next = text;
        if (byte == (unsigned char)*next)
            next++;
    }
    return *next == '\0';
}

int os_reader_skip_field(struct os_reader *reader)
{
    int byte;
    do
        byte = os_reader_byte(reader);
    while (byte >= 0 && byte != ' ' && byte != '\n');
    return byte;
}

/* FNV-1a. */
uint64_t os_reader_digest_field(struct os_reader *reader, uint64_t before)
{
    const uint64_t prime = 0x100000001b3u;
    int byte;
    do {
        byte = os_reader_byte(reader);
        before = (before ^ (uint64_t)byte) * prime;
    } while (byte >= 0 && byte != ' ' && byte != '\n');
    return before;
}

int os_reader_skip_blanks(struct os_reader *reader)
{
    int byte;
    do
        byte = os_reader_byte(reader);
    while (byte == ' ');
    return byte;
}
