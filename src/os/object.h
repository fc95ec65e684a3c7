/*
 * os/object: which loaded program, library or vdso an address lies in.
 *
 * Asks the loader's own table for unwinders: no lock, no memory, and good at any moment, in a signal handler or while other
 * threads load and unload. Before glibc 2.35 there is none, and nothing is found.
 */
#ifndef OS_OBJECT_H
#define OS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_object {
    uintptr_t start; /* of its lowest segment; the ELF header lies there */
    uintptr_t end;
    uintptr_t base;          /* what its file's addresses are relative to */
    uintptr_t unwind_header; /* .eh_frame_hdr, or 0 */
    const char
        *name; /* as the loader knows it; empty for the program. Good while the object is loaded */
};

bool os_object_find(uintptr_t address, struct os_object *object_out);

/* The program's file by its whole path, or empty. */
const char *os_program_path(void);

/* The build-id of an object that is loaded. Returns how many bytes, up to size_bytes; 0 without one. */
size_t os_object_build_id(const struct os_object *object, uint8_t *bytes_out, size_t size_bytes);

#endif
