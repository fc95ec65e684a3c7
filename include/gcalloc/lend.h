/*
 * gcalloc/lend.h: the quick halves of gcalloc/borrow.h, inline: while the program has one thread. Nothing here is for programs: what it
 * knows of the library's tables is true for that name of gca_borrowing_1 only, as with gcalloc/count.h.
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

struct gca_borrow_ {
    const void *object;
    uintptr_t place; /* a gca_place, and GCA_LENT_MUT_ */
    struct gca_note_ *note;
};

/* The calling thread's borrows that have not ended, newest last. */
struct gca_borrows_ {
    struct gca_borrow_ *bottom;
    struct gca_borrow_ *top; /* behind the last */
    struct gca_borrow_ *limit;
};

extern __thread struct gca_borrows_ gca_borrowing_1 __attribute__((tls_model("initial-exec")));

enum {
    GCA_LENT_MUT_ = 1,
    GCA_LENT_BITS_ = 7,
    GCA_SHARED_MAX_ = 0x7ff, /* in gca_note_.word */
    GCA_MUTABLE_ = 0x800,
    GCA_BOUND_ = 0x800000, /* in gca_note_.holder */
    GCA_NOTED_ = 5,        /* in a slot's state */
};

/* The note of the allocated block that starts here, if it is noted. */
static inline __attribute__((always_inline)) struct gca_note_ *gca_find_noted_(const void *object)
{
    const struct gca_counting_ *self = &gca_counting_1;
    uintptr_t offset = (uintptr_t)object + self->minus_start;
    if (__builtin_expect(offset >= self->limit_bytes, 0))
        return NULL;
    const struct gca_unit_ *unit = self->units + (offset >> GCA_UNIT_SHIFT_);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    gca_wide_ product = (gca_wide_)((uintptr_t)object - unit->start) * unit->reciprocal;
    if (__builtin_expect((notes & 1) == 0, 0) || __builtin_expect((uint64_t)product >= unit->reciprocal, 0))
        return NULL;
    uint64_t index = (uint64_t)(product >> 64);
    uint8_t state = __atomic_load_n((const uint8_t *)unit->states + index, __ATOMIC_RELAXED);
    return __builtin_expect((state & GCA_NOTED_) == GCA_NOTED_, 1) ? (struct gca_note_ *)(notes - 1) + index : NULL;
}

/* False when the functions have to look at it: then nothing has changed. */
static inline __attribute__((always_inline)) bool gca_lend_(const void *object, const void *place, uintptr_t kind)
{
    struct gca_borrows_ *self = &gca_borrowing_1;
    struct gca_borrow_ *top = self->top;
    struct gca_note_ *note = gca_find_noted_(object);
    if (__builtin_expect(note == NULL, 0) || __builtin_expect(top == self->limit, 0) || __builtin_expect(!GCA_IS_ALONE_, 0))
        return false;
    uint32_t word = __atomic_load_n(&note->word, __ATOMIC_RELAXED);
    uint32_t obstacle = kind != 0 ? GCA_MUTABLE_ | GCA_SHARED_MAX_ : GCA_MUTABLE_;
    if (__builtin_expect((word & obstacle) != 0, 0) || __builtin_expect((word & GCA_SHARED_MAX_) == GCA_SHARED_MAX_, 0) ||
        __builtin_expect((__atomic_load_n(&note->holder, __ATOMIC_RELAXED) & GCA_BOUND_) != 0, 0))
        return false;
    __atomic_store_n(&note->word, kind != 0 ? word | GCA_MUTABLE_ : word + 1, __ATOMIC_RELAXED);
    top->note = note;
    __atomic_store_n(&top->place, (uintptr_t)place | kind, __ATOMIC_RELAXED);
    __atomic_store_n(&top->object, object, __ATOMIC_RELAXED);
    __atomic_store_n(&self->top, top + 1, __ATOMIC_RELEASE);
    return true;
}

/* The same for the end of the newest borrow. */
static inline __attribute__((always_inline)) bool gca_give_back_(const void *object, uintptr_t kind)
{
    struct gca_borrows_ *self = &gca_borrowing_1;
    struct gca_borrow_ *last = self->top - 1;
    if (__builtin_expect(self->top == self->bottom, 0) || __builtin_expect(object == NULL, 0) ||
        __builtin_expect(__atomic_load_n(&last->object, __ATOMIC_RELAXED) != object, 0) ||
        __builtin_expect((__atomic_load_n(&last->place, __ATOMIC_RELAXED) & GCA_LENT_BITS_) != kind, 0) ||
        __builtin_expect(!GCA_IS_ALONE_, 0))
        return false;
    struct gca_note_ *note = last->note;
    uint32_t word = __atomic_load_n(&note->word, __ATOMIC_RELAXED);
    if (__builtin_expect((word & (kind != 0 ? GCA_MUTABLE_ : GCA_SHARED_MAX_)) == 0, 0))
        return false;
    __atomic_store_n(&note->word, kind != 0 ? word & ~(uint32_t)GCA_MUTABLE_ : word - 1, __ATOMIC_RELAXED);
    __atomic_store_n(&self->top, last, __ATOMIC_RELEASE);
    return true;
}

#ifdef __cplusplus
}
#endif

#endif
