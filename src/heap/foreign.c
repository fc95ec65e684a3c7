/*
 * heap/foreign: pointers that are not ours.
 *
 * libc would abort on a pointer that is not its own with a message of its own, so what can be told apart is told apart
 * first: anonymous memory whose word before the pointer looks like a libc chunk header is libc's; what lies in the
 * loader's data or is freed by the loader are its first blocks, which are never reused: ignored. Everything else is the
 * program's mistake.
 *
 * Uses os. Locks: none.
 */
#include "heap/foreign.h"

#include "base/compiler.h"
#include "heap/layout.h"
#include "heap/misuse.h"
#include "os/maps.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct foreign_heap *(*find_heap)(void);

IN_EVERY_PROCESS void foreign_register(const struct foreign_heap *(*find)(void))
{
    find_heap = find;
}

/* In doubt a pointer is ignored: a leak is better than a program ended for nothing. */
enum foreign_kind { FOREIGN_WRONG, FOREIGN_IGNORED, FOREIGN_LIBC };

enum { CHUNK_ALIGNMENT = 16, CHUNK_FLAGS = 7, CHUNK_BYTES_MIN = 32 };

/* A glibc chunk: its size with three flag bits in the word before the block, all within the mapping. */
static bool looks_like_chunk(uintptr_t address, const struct os_mapping *mapping)
{
    if (address % CHUNK_ALIGNMENT != 0 || address - mapping->start < 2 * sizeof(size_t))
        return false;
    size_t header = *(const size_t *)(address - sizeof(size_t));
    size_t size_bytes = header & ~(size_t)CHUNK_FLAGS;
    return size_bytes >= CHUNK_BYTES_MIN && size_bytes % CHUNK_ALIGNMENT == 0 &&
           size_bytes <= mapping->end - address + 2 * sizeof(size_t);
}

static bool is_loader(const struct os_mapping *mapping)
{
    return strstr(mapping->name, "/ld-linux") != NULL || strstr(mapping->name, "/ld-2.") != NULL ||
           strstr(mapping->name, "/ld.so") != NULL;
}

/* The loader frees some of what it took from its own small allocator before it knew of us. */
static bool is_called_by_loader(void *caller)
{
    struct os_mapping mapping;
    return caller != NULL && os_mapping_find((uintptr_t)caller, &mapping) == 0 && is_loader(&mapping);
}

static enum foreign_kind classify(void *pointer, void *caller)
{
    struct os_mapping mapping;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (layout_owns(pointer))
        return FOREIGN_WRONG;
    if (is_called_by_loader(caller))
        return FOREIGN_IGNORED;
    int result = os_mapping_find((uintptr_t)pointer, &mapping);
    if (result == -EIO)
        return FOREIGN_IGNORED;
    if (result != 0 || !mapping.readable || !mapping.writable)
        return FOREIGN_WRONG;
    if (here >= mapping.start && here < mapping.end)
        return FOREIGN_WRONG;
    if (is_loader(&mapping))
        return FOREIGN_IGNORED;
    bool is_heap = strcmp(mapping.name, "[heap]") == 0;
    bool is_anonymous = mapping.name[0] == '\0' || strncmp(mapping.name, "[anon", 5) == 0;
    if (!is_heap && !is_anonymous)
        return FOREIGN_WRONG;
    return looks_like_chunk((uintptr_t)pointer, &mapping) ? FOREIGN_LIBC : FOREIGN_WRONG;
}

static const struct foreign_heap *libc_heap(void)
{
    return find_heap != NULL ? find_heap() : NULL;
}

void foreign_free(void *pointer, void *caller)
{
    enum foreign_kind kind = classify(pointer, caller);
    const struct foreign_heap *libc = kind == FOREIGN_LIBC ? libc_heap() : NULL;
    if (libc != NULL)
        libc->free(pointer);
    else if (kind == FOREIGN_WRONG)
        misuse_foreign_free(pointer, caller);
}

int foreign_resize(void *pointer, size_t size_bytes, void *caller, void **block_out)
{
    enum foreign_kind kind = classify(pointer, caller);
    const struct foreign_heap *libc = kind == FOREIGN_LIBC ? libc_heap() : NULL;
    if (libc == NULL) {
        if (kind == FOREIGN_WRONG)
            misuse_resize(pointer, caller);
        return -EINVAL;
    }
    void *resized = libc->realloc(pointer, size_bytes);
    if (resized == NULL && size_bytes != 0)
        return -ENOMEM;
    *block_out = resized;
    return 0;
}

size_t foreign_usable_size(void *pointer)
{
    const struct foreign_heap *libc = classify(pointer, NULL) == FOREIGN_LIBC ? libc_heap() : NULL;
    return libc != NULL ? libc->usable_size(pointer) : 0;
}
