/*
 * gcalloc/valid.h: what is at an address. For any value of a pointer; nothing here reads what it points to. See gcalloc_own(3).
 *
 * From any thread; the answers are true as long as nobody frees the block meanwhile.
 */
#ifndef GCALLOC_VALID_H
#define GCALLOC_VALID_H

#include <gcalloc/borrow.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gca_kind {
    GCA_KIND_FOREIGN, /* not from this heap: stack, static data, libc's, nothing */
    GCA_KIND_FREE,    /* of this heap, but in no block that is allocated */
    GCA_KIND_MALLOC,
    GCA_KIND_COUNTED, /* gca_rc_new(), gca_share() */
    GCA_KIND_ARENA,
    GCA_KIND_POOL
} gca_kind;

gca_kind gca_kind_of(const void *address);

/*
 * The block, pool object or arena chunk that the address lies in. NULL for other kinds, and for what is free. Its usable size goes to
 * *size_bytes_out unless that is NULL.
 */
void *gca_start_of(const void *address, size_t *size_bytes_out);

/* Bytes from the address to the end of the block; 0 for what is in none. */
size_t gca_bytes_from(const void *address);

/* All of it lies in one allocated block, or chunk of an arena. */
bool gca_is_range(const void *start, size_t size_bytes);

/* The address is a multiple of align_bytes, a power of two. */
static inline bool gca_is_aligned(const void *address, size_t align_bytes)
{
    return ((uintptr_t)address & (align_bytes - 1)) == 0;
}

/* True when array[index] lies in the block that array points into; what is foreign is not known, and true. */
bool gca_is_index(const void *array, size_t index, size_t element_bytes);

void gca_check_index(const void *array, size_t index, size_t element_bytes, const gca_place *place);

/* array[index], as an lvalue; with checks on, an index outside the block is reported. */
#define gca_at(array, index)                                                                                           \
    (*(__extension__({                                                                                                 \
        __typeof__(&(array)[0]) gca_array_ = (array);                                                                  \
        size_t gca_index_ = (size_t)(index);                                                                           \
        if (GCA_CHECKING_)                                                                                             \
            gca_check_index(gca_array_, gca_index_, sizeof *gca_array_, GCA_HERE);                                     \
        gca_array_ + gca_index_;                                                                                       \
    })))

#ifdef __cplusplus
}
#endif

#endif
