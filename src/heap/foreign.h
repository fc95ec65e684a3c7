/*
 * heap/foreign: pointers that are not ours: blocks of libc's own malloc (RTLD_DEEPBIND libraries, programs that look
 * libc's malloc up), blocks the loader made before us, and plainly wrong ones, which are reported.
 */
#ifndef HEAP_FOREIGN_H
#define HEAP_FOREIGN_H

#include <stddef.h>

void foreign_free(void *pointer, void *caller);

/* As heap_resize(). A block of libc's stays libc's; one of the loader's can't be resized. */
int foreign_resize(void *pointer, size_t size_bytes, void *caller, void **block_out);

/* Usable bytes of a foreign block, 0 if it is none. */
size_t foreign_usable_size(void *pointer);

/* Another malloc's functions, looked up by preload/ in libc; all NULL until then, and foreign blocks are ignored. */
struct foreign_heap {
    void (*free)(void *);
    void *(*realloc)(void *, size_t);
    size_t (*usable_size)(void *);
};

void foreign_register(const struct foreign_heap *(*find)(void));

#endif
