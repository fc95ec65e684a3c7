/* os/output: bytes to a descriptor or a file, complete and without stdio. errno is left alone. */
#ifndef OS_OUTPUT_H
#define OS_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

/* Writes all bytes, going on after short and interrupted writes. Returns 0 or -errno. */
int os_write_all(int descriptor, const char *bytes, size_t size_bytes);

/* Opens the file for appending, creating it (mode 0600). Close-on-exec. Returns a descriptor or -errno. */
int os_open_append(const char *path);

/*
 * Makes a new file (mode 0600) for writing; -EEXIST if there is anything of that name, be it a link. Close-on-exec. Returns
 * a descriptor or -errno.
 */
int os_create(const char *path);

/* Opens the file for reading. Close-on-exec. Returns a descriptor or -errno. */
int os_open_read(const char *path);

/* Opens the file for reading and writing at given places, creating it (mode 0600). Close-on-exec. Or -errno. */
int os_open_shared(const char *path);

/* Locks the whole file until it is closed. Returns 0; -EAGAIN when somebody else has, or -errno. */
int os_try_lock_file(int descriptor);

/* Reads up to size_bytes from a place in the file. Returns the number of bytes, 0 at the end, or -errno. */
long os_read_at(int descriptor, char *bytes_out, size_t size_bytes, uint64_t offset);

/* Writes all bytes to a place in the file. Returns 0 or -errno. */
int os_write_at(int descriptor, const char *bytes, size_t size_bytes, uint64_t offset);

/* Reads up to size_bytes. Returns the number of bytes, 0 at the end, or -errno. */
long os_read(int descriptor, char *bytes_out, size_t size_bytes);

void os_close(int descriptor);

/* The size of the regular file that the descriptor is of; 0 when it is something else, or says nothing. */
size_t os_file_bytes(int descriptor);

/* The whole of a regular file, to be read, or NULL; and gives that back. It must not become shorter meanwhile. */
const char *os_map_file(const char *path, size_t *size_bytes_out);
void os_unmap_file(const char *bytes, size_t size_bytes);

/* For a thread that has a table of its own: what the process has by this number. To be closed. Or -errno. */
int os_borrow(int descriptor);

/* Another descriptor for the same file, out of the way of those that programs count on. Close-on-exec. Or -errno. */
int os_duplicate(int descriptor);

/* Which file a descriptor is of; all zero if none. */
struct os_file_identity {
    uint64_t device;
    uint64_t inode;
    _Bool is_pipe; /* or a socket: somebody may wait for its last descriptor to be closed */
};

struct os_file_identity os_identify(int descriptor);

#endif
