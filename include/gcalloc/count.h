/*
 * gcalloc/count.h: the quick halves of gcalloc/shared.h, inline. Nothing here is for programs: what it knows of the library's tables is
 * true for that name of gca_counting_1 only, and with other tables there would be another, so that no program could count wrong.
 *
 * Quick is what the thread that holds an object does while it has other references. All else is the functions'.
 */
#ifndef GCALLOC_COUNT_H
#define GCALLOC_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gca_unit_ {
    uintptr_t unused;
    uintptr_t states;
    uintptr_t start;
    uint64_t reciprocal;
    uintptr_t more[3];
    uintptr_t notes;
};

struct gca_note_ {
    uint32_t strong;
    uint32_t word;
    int32_t others;
    uint32_t holder;
};

/*
 * The calling thread's view; limit_bytes is 0 as long as it has nothing to find, and may be less than the heap has by now. Where the blocks start is
 * negated: as it is it would be the address of the first block, for all who look for such.
 */
struct gca_counting_ {
    uintptr_t minus_start;
    size_t limit_bytes;
    struct gca_unit_ *units;
    uint32_t holder;
};

extern __thread struct gca_counting_ gca_counting_1 __attribute__((tls_model("initial-exec")));

enum {
    GCA_UNIT_SHIFT_ = 14,
    GCA_HOLDER_MASK_ = 0xbfffff, /* the thread, and that it is bound to it */
    GCA_WATCHED_ = 0x400000,     /* may be part of a cycle */
    GCA_GENERATION_BITS_ = 20,
    GCA_GENERATION_SHIFT_ = 12, /* in gca_note_.word */
};

__extension__ typedef unsigned __int128 gca_wide_;

static inline __attribute__((always_inline)) bool gca_find_note_(const void *object, struct gca_note_ **note_out)
{
    const struct gca_counting_ *self = &gca_counting_1;
    uintptr_t offset = (uintptr_t)object + self->minus_start;
    if (__builtin_expect(offset >= self->limit_bytes, 0))
        return false;
    const struct gca_unit_ *unit = self->units + (offset >> GCA_UNIT_SHIFT_);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    if (__builtin_expect((notes & 1) == 0, 0))
        return false;
    gca_wide_ product = (gca_wide_)((uintptr_t)object - unit->start) * unit->reciprocal;
    *note_out = (struct gca_note_ *)(notes - 1) + (uint64_t)(product >> 64);
    return true;
}

/* The object's note if the calling thread holds it, and it has none of the other bits. */
static inline __attribute__((always_inline)) bool gca_find_own_(const void *object, uint32_t others, struct gca_note_ **note_out)
{
    return __builtin_expect(gca_find_note_(object, note_out), 1) &&
           __builtin_expect((__atomic_load_n(&(*note_out)->holder, __ATOMIC_RELAXED) & (GCA_HOLDER_MASK_ | others)) ==
                                gca_counting_1.holder, 1);
}

static inline __attribute__((always_inline)) void gca_add_(struct gca_note_ *note, uint32_t more)
{
    __atomic_store_n(&note->strong, __atomic_load_n(&note->strong, __ATOMIC_RELAXED) + more, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif

#endif
