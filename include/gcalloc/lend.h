/*
 * gcalloc/lend.h: the quick halves of gcalloc/borrow.h, inline: while the program has one thread. Nothing here is for programs: what it
 * knows of the library's tables is true for that name of gca_self_1 only, as with gcalloc/count.h.
 */
#ifndef GCALLOC_LEND_H
#define GCALLOC_LEND_H

#include <gcalloc/count.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined __has_include
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define GCA_IS_ALONE_ (__libc_single_threaded != 0)
#endif
#endif
#ifndef GCA_IS_ALONE_
#define GCA_IS_ALONE_ 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GCA_SHARED_MAX_ = 0x7ff, /* in gca_note_.word */
    GCA_MUTABLE_ = 0x800,
    GCA_BOUND_ = 0x800000, /* in gca_note_.holder */
    GCA_NOTED_ = 5,        /* in a slot's state */
};

/* The kind of a borrow, where no address has bits. */
#define GCA_LENT_MUT_ ((uintptr_t)1 << 62)
#define GCA_LENT_UNCOUNTED_ ((uintptr_t)1 << 63)

/* The note of the allocated block that starts here, if it is noted. */
static inline __attribute__((always_inline)) bool gca_find_noted_(const void *object, struct gca_note_ **note_out)
{
    const struct gca_self_ *self = &gca_self_1;
    uintptr_t offset = (uintptr_t)object + self->minus_start;
    if (__builtin_expect(offset >= self->limit_bytes, 0))
        return false;
    const struct gca_unit_ *unit = self->units + (offset >> GCA_UNIT_SHIFT_);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    gca_wide_ product = (gca_wide_)((uintptr_t)object - unit->start) * unit->reciprocal;
    if (__builtin_expect((notes & 1) == 0, 0) || __builtin_expect((uint64_t)product >= unit->reciprocal, 0))
        return false;
    uint64_t index = (uint64_t)(product >> 64);
    *note_out = (struct gca_note_ *)(notes - 1) + index;
    return __builtin_expect((((const uint8_t *)unit->states)[index] & GCA_NOTED_) == GCA_NOTED_, 1);
}

/*
 * False when the functions have to look at it: then nothing has changed. Whoever else there is some day sees what was written while
 * there was nobody, so it is written plainly, and a compiler that sees the end of a borrow, too, need not read again what it has just written.
 */
static inline __attribute__((always_inline)) bool gca_lend_(const void *object, const void *place, uintptr_t kind)
{
    struct gca_borrows_ *borrows = &gca_self_1.borrows;
    struct gca_note_ *note;
    if (__builtin_expect(!GCA_IS_ALONE_, 0) || __builtin_expect(!gca_find_noted_(object, &note), 0))
        return false;
    struct gca_borrow_ *top = borrows->top;
    uint32_t word = note->word;
    uint32_t most = kind != 0 ? 0 : GCA_SHARED_MAX_ - 1; /* GCA_MUTABLE_ is more than that */
    if (__builtin_expect(top == borrows->limit, 0) || __builtin_expect((word & (GCA_MUTABLE_ | GCA_SHARED_MAX_)) > most, 0) ||
        __builtin_expect((note->holder & GCA_BOUND_) != 0, 0))
        return false;
    note->word = word + (kind != 0 ? GCA_MUTABLE_ : 1);
    top->note = note;
    top->place = place;
    top->lent = (uintptr_t)object | kind;
    borrows->top = top + 1;
    return true;
}

/* The same for the end of the newest borrow. */
static inline __attribute__((always_inline)) bool gca_give_back_(const void *object, uintptr_t kind)
{
    struct gca_borrows_ *borrows = &gca_self_1.borrows;
    struct gca_borrow_ *top = borrows->top;
    if (__builtin_expect(!GCA_IS_ALONE_, 0) || __builtin_expect(top[-1].lent != ((uintptr_t)object | kind), 0) ||
        __builtin_expect(object == NULL, 0))
        return false;
    top[-1].note->word -= kind != 0 ? GCA_MUTABLE_ : 1;
    borrows->top = top - 1;
    return true;
}

#ifdef __cplusplus
}
#endif

#endif
