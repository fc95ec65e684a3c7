/*
 * gcalloc/count.h: the quick halves of gcalloc/shared.h, inline. Nothing here is for programs: what it knows of the library's tables is
 * true for that name of gca_self_1 only, and with other tables there would be another, so that no program could count wrong.
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

/* One that has not ended. */
struct gca_borrow_ {
    uintptr_t lent; /* the object's address, and its kind in the highest bits; 0 when it was ended elsewhere */
    const void *place; /* a gca_place */
    struct gca_note_ *note;
};

/* The calling thread's, newest last. Below the first lies one that nothing equals. */
struct gca_borrows_ {
    struct gca_borrow_ *top; /* behind the last */
    struct gca_borrow_ *limit;
    struct gca_borrow_ *bottom;
};

/*
 * The calling thread's view; limit_bytes is 0 as long as it has nothing to find, and may be less than the heap has by now. Where the blocks start is
 * negated: as it is it would be the address of the first block, for all who look for such.
 */
struct gca_self_ {
    uintptr_t minus_start;
    size_t limit_bytes;
    struct gca_unit_ *units;
    uint32_t holder;
    struct gca_borrows_ borrows;
};

extern __thread struct gca_self_ gca_self_1 __attribute__((tls_model("initial-exec")));

enum {
    GCA_UNIT_SHIFT_ = 14,
    GCA_HOLDER_MASK_ = 0xbfffff, /* the thread, and that it is bound to it */
    GCA_WATCHED_ = 0x400000,     /* may be part of a cycle */
    GCA_DYING_ = 0x20000000,
    GCA_GENERATION_BITS_ = 20,
    GCA_GENERATION_SHIFT_ = 12, /* in gca_note_.word */
};

__extension__ typedef unsigned __int128 gca_wide_;

/* The note of an object that somebody keeps: then nothing on the way to it changes, and it is read plainly. */
static inline __attribute__((always_inline)) bool gca_find_note_(const void *object, struct gca_note_ **note_out)
{
    const struct gca_self_ *self = &gca_self_1;
    uintptr_t offset = (uintptr_t)object + self->minus_start;
    if (__builtin_expect(offset >= self->limit_bytes, 0))
        return false;
    const struct gca_unit_ *unit = self->units + (offset >> GCA_UNIT_SHIFT_);
    if (__builtin_expect((unit->notes & 1) == 0, 0))
        return false;
    gca_wide_ product = (gca_wide_)((uintptr_t)object - unit->start) * unit->reciprocal;
    *note_out = (struct gca_note_ *)(unit->notes - 1) + (uint64_t)(product >> 64);
    return true;
}

/* Where a note was found: what it was computed from, which may have changed meanwhile unless somebody keeps the object. */
struct gca_way_ {
    const struct gca_unit_ *unit;
    uintptr_t notes;
    uintptr_t start;
    uint64_t reciprocal;
};

static inline __attribute__((always_inline)) bool gca_find_way_(const void *object, struct gca_way_ *way, struct gca_note_ **note_out)
{
    const struct gca_self_ *self = &gca_self_1;
    uintptr_t offset = (uintptr_t)object + self->minus_start;
    if (__builtin_expect(offset >= self->limit_bytes, 0))
        return false;
    way->unit = self->units + (offset >> GCA_UNIT_SHIFT_);
    way->notes = __atomic_load_n(&way->unit->notes, __ATOMIC_ACQUIRE);
    if (__builtin_expect((way->notes & 1) == 0, 0))
        return false;
    way->start = __atomic_load_n(&way->unit->start, __ATOMIC_RELAXED);
    way->reciprocal = __atomic_load_n(&way->unit->reciprocal, __ATOMIC_RELAXED);
    gca_wide_ product = (gca_wide_)((uintptr_t)object - way->start) * way->reciprocal;
    *note_out = (struct gca_note_ *)(way->notes - 1) + (uint64_t)(product >> 64);
    return true;
}

static inline __attribute__((always_inline)) bool gca_is_same_way_(const struct gca_way_ *way)
{
    return __builtin_expect(__atomic_load_n(&way->unit->notes, __ATOMIC_RELAXED) == way->notes, 1) &&
           __builtin_expect(__atomic_load_n(&way->unit->start, __ATOMIC_RELAXED) == way->start, 1) &&
           __builtin_expect(__atomic_load_n(&way->unit->reciprocal, __ATOMIC_RELAXED) == way->reciprocal, 1);
}

static inline __attribute__((always_inline)) bool gca_has_(const struct gca_note_ *note, uint32_t mask, uint32_t flags)
{
    return __builtin_expect((__atomic_load_n(&note->holder, __ATOMIC_RELAXED) & mask) == flags, 1);
}

/* The object's note if the calling thread holds it, and it has none of the other bits. */
static inline __attribute__((always_inline)) bool gca_find_own_(const void *object, uint32_t others, struct gca_note_ **note_out)
{
    return __builtin_expect(gca_find_note_(object, note_out), 1) &&
           gca_has_(*note_out, GCA_HOLDER_MASK_ | others, gca_self_1.holder);
}

#ifdef __cplusplus
}
#endif

#endif
