/*
 * gcalloc/own.h: who frees what. For pointers from malloc(3) and its kin, all of them; see gcalloc_own(3).
 *
 * Every function here may be called from any thread, but from no signal handler. Two threads that use one object at a time
 * have to see to that themselves, as with free(). What a drop or clone function of the program's does, it may do anything but
 * leave by longjmp() or an exception. Misuse is reported as that of free() is: see gcalloc(7), "ownership misuse".
 */
#ifndef GCALLOC_OWN_H
#define GCALLOC_OWN_H

#include <gcalloc/annotate.h>
#include <gcalloc/borrow.h>
#include <gcalloc/scope.h>
#include <gcalloc/shared.h>
#include <gcalloc/type.h>
#include <gcalloc/valid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objects with one owner ---- */

/*
 * Ends an object: its type's drop function, what its pointers hold, what it owns, newest first; then its memory. A list of a
 * million that hold each other takes no more stack than a short one. NULL is allowed; what is counted is released
 * (gca_release()).
 */
void gca_drop(void *object) GCA_DROPS(object, 1);

/* As gca_new() does it, for a type that is not known before. */
void *gca_new_of(gca_type *type) GCA_OWNED_OUTSIDE(gca_drop) __attribute__((warn_unused_result));
void *gca_new_at(gca_site *site) GCA_OWNED_OUTSIDE(gca_drop) __attribute__((warn_unused_result));

/* T *, a new object, all zero, of the type that GCA_TYPE(T) said, if any. NULL and ENOMEM when memory is short. */
#define gca_new(T) ((T *)gca_new_at(GCA_SITE_(T)))

/* The same, for an object whose cache lines no other block shares. */
void *gca_new_alone_at(gca_site *site) GCA_OWNED_OUTSIDE(gca_drop) __attribute__((warn_unused_result));
#define gca_new_alone(T) ((T *)gca_new_alone_at(GCA_SITE_(T)))

/* Memory of whole cache lines, holding anything, freed with free() or gca_drop(). NULL and ENOMEM. */
void *gca_alloc_lines(size_t size_bytes) GCA_OWNED(gca_drop) __attribute__((warn_unused_result));

/*
 * A copy with the same type. What the pointers of the type hold is retained if it is counted, else cloned. NULL and errno:
 * ENOMEM, EINVAL for what is no allocated block, or what the type's clone function returned.
 */
void *gca_clone_of(const void *object) GCA_READS(object) GCA_OWNED_OUTSIDE(gca_drop) __attribute__((warn_unused_result));
#define gca_clone(p) ((__typeof__(&*(p)))gca_clone_of(p))

/* ---- ownership that moves ---- */

/* The value of the pointer variable v, which gets another. (gca_move(v), in gcalloc/annotate.h, leaves NULL.) */
#define gca_replace(v, value)                                                                                          \
    (__extension__({                                                                                                   \
        __typeof__(v) *gca_at_ = &(v);                                                                                 \
        __typeof__(v) gca_old_ = *gca_at_;                                                                             \
        *gca_at_ = (value);                                                                                            \
        gca_old_;                                                                                                      \
    }))

/* Exchanges the values of two variables of one type. */
#define gca_swap(a, b)                                                                                                 \
    do {                                                                                                               \
        __typeof__(a) *gca_a_ = &(a);                                                                                  \
        __typeof__(a) *gca_b_ = &(b);                                                                                  \
        __typeof__(a) gca_c_ = *gca_a_;                                                                                \
        *gca_a_ = *gca_b_;                                                                                             \
        *gca_b_ = gca_c_;                                                                                              \
    } while (0)

/* Ends the object that the variable v has, if any; v becomes NULL. */
#define gca_clear(v)                                                                                                   \
    do {                                                                                                               \
        __typeof__(v) *gca_at_ = &(v);                                                                                 \
        gca_drop((void *)*gca_at_);                                                                                    \
        *gca_at_ = NULL;                                                                                               \
    } while (0)

/* ---- owners ---- */

/*
 * From now on `owner` owns `child`, both allocated blocks: gca_drop(owner) drops it. An owner of NULL detaches. A child that is
 * dropped or freed by itself leaves its owner. Returns 0, -ENOMEM, or -EINVAL after a report: what is counted is not
 * owned, and nobody owns himself or an owner of his.
 */
int gca_own(void *child, void *owner);

/* NULL when nobody owns it. */
void *gca_owner_of(const void *child);

/* How many the object owns, not counting what those own. */
size_t gca_owned_count(const void *owner);

/* Calls visit for each, newest first. visit must neither own nor drop. */
void gca_owned_each(const void *owner, void (*visit)(void *child, void *context), void *context);

/* ---- borrowed or owned ---- */

/* A value that is somebody else's until it is to be written: then it is a clone of one's own. */
typedef struct gca_cow {
    void *value;
    bool is_owned;
} gca_cow;

static inline gca_cow gca_cow_borrow(const void *value)
{
    gca_cow cow;
    cow.value = (void *)(uintptr_t)value;
    cow.is_owned = false;
    return cow;
}

static inline gca_cow gca_cow_own(void *value)
{
    gca_cow cow;
    cow.value = value;
    cow.is_owned = true;
    return cow;
}

static inline const void *gca_cow_get(const gca_cow *cow)
{
    return cow->value;
}

/* The value, to be written: cloned the first time. NULL and errno as gca_clone(). */
void *gca_cow_mut(gca_cow *cow);

/* Drops the value if it is owned. */
void gca_cow_drop(gca_cow *cow);

#ifdef __cplusplus
}
#endif

#ifdef GCA_CHECK
#define GCA_CHECK_OWN_
#include <gcalloc/check.h>
#endif

#endif
