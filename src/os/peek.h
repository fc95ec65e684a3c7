/*
 * os/peek: reads this process's own memory where a plain load could raise a signal: files that end before their
 * mapping, pages taken away with PROT_NONE, poisoned ones.
 */
#ifndef OS_PEEK_H
#define OS_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_peek {
    int descriptor; /* of /proc/thread-self/mem; opened when first needed. 0 before */
};

void os_peek_close(struct os_peek *peek);

/*
 * Reads up to size_bytes. Returns how many, at least 1; 0 when the page at the address can't be read by anybody; or
 * -errno when the kernel does not let us. Where the mapping is not readable, `forced` reads it all the same.
 */
long os_peek(struct os_peek *peek, uintptr_t address, void *bytes_out, size_t size_bytes, bool forced);

/* True when every page from the one of `start` to the last below `end` can be read. False also where that can't be told. */
bool os_is_readable(uintptr_t start, uintptr_t end);

#endif
