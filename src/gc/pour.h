/*
 * gc/pour: hands memory piece by piece to whoever looks for pointers in it, such that none is lost between two pieces,
 * and adds the words that setjmp() has mangled.
 */
#ifndef GC_POUR_H
#define GC_POUR_H

#include "gc/roots.h"

#include <stddef.h>
#include <stdint.h>

enum { WORD_BYTES = sizeof(uintptr_t) };

struct pour {
    roots_range *range;
    void *context;
    uintptr_t heap_start;
    size_t heap_bytes;
    uintptr_t guard;          /* what setjmp() mangles with; another process's is another */
    uintptr_t end;            /* of the last piece, as an address; 0 before the first */
    unsigned step_bytes;      /* in it */
    unsigned char tail[WORD_BYTES]; /* its last bytes */
};

struct pour pour_start(roots_range *range, void *context);

/* The piece at `bytes`, perhaps a copy, lies at this address. Pieces come in the order of their addresses. */
void pour_bytes(struct pour *pour, const unsigned char *bytes, size_t size_bytes, uintptr_t address,
                unsigned step_bytes);

/* No more pieces. */
void pour_flush(struct pour *pour);

#endif
