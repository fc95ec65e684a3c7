/* os/reader: a file of the kernel's, byte by byte, through a buffer of the caller's. Only src/os/ includes this file. */
#ifndef OS_READER_H
#define OS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_reader {
    int descriptor; /* or -errno: nothing can be read */
    bool failed;
    bool ended; /* who asks for more gets no more, without asking the kernel */
    size_t next;
    size_t end;
    char *bytes;
    size_t size_bytes;
};

/* Opens the file; its descriptor is negative when that fails. */
struct os_reader os_reader_open(const char *path, char *bytes, size_t size_bytes);
void os_reader_close(struct os_reader *reader);

/* The next byte, or -1 at the end and after an error. */
int os_reader_byte(struct os_reader *reader);

/* Skips blanks, reads a hexadecimal number and the one byte behind it. */
uint64_t os_reader_hex(struct os_reader *reader);

/* Skips what comes before the next `text`, which has no prefix inside it, and the text itself. False at the end. */
bool os_reader_skip_to(struct os_reader *reader, const char *text);

/* Skips to the blank or the end of line that ends a field; returns it. */
int os_reader_skip_field(struct os_reader *reader);

/* Skips such a field, too; returns what becomes of `before` with its bytes: other bytes give another number. */
uint64_t os_reader_digest_field(struct os_reader *reader, uint64_t before);

/* Skips blanks; returns the first other byte. */
int os_reader_skip_blanks(struct os_reader *reader);

#endif
