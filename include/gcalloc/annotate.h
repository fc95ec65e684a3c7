/*
 * gcalloc/annotate.h: what a function does to the pointers it gets, said so that compilers check it. See
 * gcalloc_annotate(3).
 *
 * The macros stand behind a function's parameter list. They mean something to
 *
 *   clang 22 and later   -DGCA_CHECK -Wthread-safety -Wthread-safety-beta   borrows, moves, drops, locks, gca_let()
 *   clang's analyzer     -DGCA_CHECK --analyze                              leaks, double drops, use after drop
 *   gcc                  -DGCA_CHECK -fanalyzer; -O2 -Wall finds some       the same
 *
 * and nothing to other compilers. They never change what code is generated. `pkg-config --variable=check_clang gcalloc`
 * and the like, and GCALLOC_CHECK in gcalloc.m4, know the flags.
 */
#ifndef GCALLOC_ANNOTATE_H
#define GCALLOC_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#if defined GCA_CHECK && defined __clang__ && !defined __cplusplus && !defined __clang_analyzer__
#if __clang_major__ >= 22
#define GCA_CHECKS_BORROWS_ 1
#endif
#endif

#if defined __clang_analyzer__ && __clang_major__ >= 22
#define GCA_CHECKS_LEAKS_(...) __attribute__((__VA_ARGS__))
#else
#define GCA_CHECKS_LEAKS_(...)
#endif

#if defined GCA_CHECK && !defined __cplusplus && !defined GCA_CHECKS_BORROWS_
#define GCA_CHECKS_MEMORY_ 1 /* what gcalloc/check.h is for */
#endif

#if defined __GNUC__ && !defined __clang__ && __GNUC__ >= 11
#define GCA_ENDED_BY_(...) __attribute__((malloc(__VA_ARGS__)))
#else
#define GCA_ENDED_BY_(...)
#endif

#ifdef GCA_CHECKS_BORROWS_
#include <gcalloc/capability.h>
#else
#define GCA_CHECKS_(...)
#endif

/* ---- ownership ---- */

/* The result is the caller's, who ends it by drop(result); and it is an object that no other pointer means. */
#define GCA_OWNED(drop) GCA_FRESH GCA_CHECKS_LEAKS_(ownership_returns(malloc))

/*
 * The same where both functions are a library's: gcc may know that they belong together only where it sees neither's body,
 * since it would take what their bodies do for an error.
 */
#define GCA_OWNED_OUTSIDE(drop) GCA_OWNED(drop) GCA_ENDED_BY_(drop, 1)

/* The result is a reference, given up by release(result); others to the same object may go on. */
#define GCA_COUNTED(release) GCA_CHECKS_LEAKS_(ownership_returns(malloc))

/* The same where both functions are a library's. Without GCA_CHECK gcc is not told, who would warn of the others. */
#ifdef GCA_CHECK
#define GCA_COUNTED_OUTSIDE(release) GCA_OWNED_OUTSIDE(release)
#else
#define GCA_COUNTED_OUTSIDE(release)
#endif

/* The result is an object that no other pointer means, and that something else ends: an arena, a container. */
#define GCA_FRESH                                                                                  \
    GCA_CHECKS_(assert_capability(GCA_NO_OTHER_->owned)) GCA_CHECKS_(lock_returned(GCA_NO_OTHER_))

/* From here on p is the function's; the caller has it no more. Nobody may have borrowed it. */
#define GCA_TAKES(p)                                                                               \
    GCA_CHECKS_(locks_excluded(GCA_P_(p)->lent->shared, GCA_P_(p)->lent->mutably))                 \
    GCA_CHECKS_(assert_capability(GCA_P_(p)->gone, GCA_P_(p)->ended))

/* The same of parameter number n, which the function ends before it returns; or keeps somewhere. */
#define GCA_DROPS(p, n) GCA_TAKES(p) GCA_CHECKS_LEAKS_(ownership_takes(malloc, n))
#define GCA_KEEPS(p, n) GCA_TAKES(p) GCA_CHECKS_LEAKS_(ownership_holds(malloc, n))

/* The result means the same object as p; or a part of it, such as an element, which goes with it. */
#define GCA_RETURNS(p) GCA_CHECKS_(lock_returned(GCA_P_(p)))

/* ---- borrowing ---- */

/* While the function runs it reads *p; or it changes *p, which no borrow may watch. */
#define GCA_READS(p) GCA_CHECKS_(locks_excluded(GCA_P_(p)->lent->mutably))
#define GCA_CHANGES(p)                                                                             \
    GCA_CHECKS_(locks_excluded(GCA_P_(p)->lent->shared, GCA_P_(p)->lent->mutably))

/* The result is a borrow of p, shared or mutable, which has begun and which somebody must end. */
#define GCA_LENDS(p)                                                                               \
    GCA_READS(p)                                                                                   \
    GCA_CHECKS_(acquire_shared_capability(GCA_P_(p)->lent->shared))                                \
    GCA_CHECKS_(lock_returned(GCA_P_(p)->lent))
#define GCA_LENDS_MUT(p)                                                                           \
    GCA_CHECKS_(locks_excluded(GCA_P_(p)->lent->shared))                                           \
    GCA_CHECKS_(acquire_capability(GCA_P_(p)->lent->mutably))                                      \
    GCA_CHECKS_(lock_returned(GCA_P_(p)->lent))

/* The same for functions that answer whether the borrow, which is p from then on, has begun. */
#define GCA_TRIES(p) GCA_CHECKS_(try_acquire_shared_capability(true, GCA_P_(p)->shared))
#define GCA_TRIES_MUT(p) GCA_CHECKS_(try_acquire_capability(true, GCA_P_(p)->mutably))

/* The borrow ends; it is what GCA_LENDS() returned. */
#define GCA_ENDS(borrow) GCA_CHECKS_(release_shared_capability(GCA_P_(borrow)->shared))
#define GCA_ENDS_MUT(borrow) GCA_CHECKS_(release_capability(GCA_P_(borrow)->mutably))

/* ---- locks: m is a pthread_mutex_t *, a pthread_rwlock_t *, anything that is locked by its address ---- */

#define GCA_LOCKS(m) GCA_CHECKS_(acquire_capability(GCA_P_(m)->lock))
#define GCA_LOCKS_SHARED(m) GCA_CHECKS_(acquire_shared_capability(GCA_P_(m)->lock))
#define GCA_UNLOCKS(m) GCA_CHECKS_(release_generic_capability(GCA_P_(m)->lock))

/* Who calls the function holds m; must not hold it. */
#define GCA_NEEDS(m) GCA_CHECKS_(requires_capability(GCA_P_(m)->lock))
#define GCA_NEEDS_SHARED(m) GCA_CHECKS_(requires_shared_capability(GCA_P_(m)->lock))
#define GCA_NEEDS_NOT(m) GCA_CHECKS_(locks_excluded(GCA_P_(m)->lock))

/* Behind a member's name: it is touched only with m held, another member of the same struct. */
#define GCA_GUARDED_BY(m) GCA_CHECKS_(guarded_by(GCA_P_(&m)->lock))

/* The function's own body is not looked at: it does what its annotations say in a way that can't be followed. */
#define GCA_TRUSTED GCA_CHECKS_(no_thread_safety_analysis)

/* ---- for cleanup functions: slot is the address of the variable ---- */

#define GCA_DROPS_AT(slot)                                                                         \
    GCA_CHECKS_(locks_excluded(GCA_AT_(slot)->lent->shared, GCA_AT_(slot)->lent->mutably,          \
                               GCA_AT_(slot)->ended))
#define GCA_ENDS_AT(slot) GCA_CHECKS_(release_shared_capability(GCA_AT_(slot)->shared))
#define GCA_ENDS_MUT_AT(slot) GCA_CHECKS_(release_capability(GCA_AT_(slot)->mutably))
#define GCA_UNLOCKS_AT(slot) GCA_CHECKS_(release_generic_capability(GCA_AT_(slot)->lock))

/* ---- tracked variables ---- */

/*
 * gca_let(T, v, e): declares v, of the pointer type T, and gives it e. The checkers see to it that on every path v is
 * dropped, moved, or given to a function that takes it, before it goes out of scope.
 *
 * gca_let_or(T, v, e) statement: the same, where e may be NULL. Then the statement runs, which has to leave v's scope:
 *     gca_let_or(struct node *, node, gca_new(struct node)) return -ENOMEM;
 *
 * gca_move(v): the value of v, a pointer variable or member, which becomes NULL. Returning a tracked variable or storing it is
 * `return gca_move(v);` and `list->first = gca_move(v);`.
 *
 * gca_opaque(e): e, which the initialiser of a variable hides from the analysis, so that the variable stands for itself.
 */
#ifdef GCA_CHECKS_BORROWS_
void gca_check_is_gone_(const void *slot) GCA_CHECKS_(requires_capability(GCA_AT_(slot)->gone));
bool gca_check_is_null_(const void *p) GCA_CHECKS_(assert_capability(GCA_P_(p)->gone));
void *gca_check_moved_(const void *p) GCA_FRESH
    GCA_CHECKS_(locks_excluded(GCA_P_(p)->lent->shared, GCA_P_(p)->lent->mutably))
        GCA_CHECKS_(assert_capability(GCA_P_(p)->gone));
#define gca_opaque(e) (__extension__({ e; }))
#define gca_let(T, v, e) T v __attribute__((cleanup(gca_check_is_gone_))) = gca_opaque(e)
#define gca_let_or(T, v, e)                                                                        \
    gca_let(T, v, e);                                                                              \
    if (!v && gca_check_is_null_(v))
#define gca_move(v) ((__typeof__(v))gca_check_moved_(v))
#else
#define gca_opaque(e) (e)
#define gca_let(T, v, e) T v = (e)
#define gca_let_or(T, v, e)                                                                        \
    T v = (e);                                                                                     \
    if (v == NULL)
#ifdef GCA_CHECKS_MEMORY_ /* gcc's analyzer loses variables whose addresses are taken */
#define gca_move(v)                                                                                \
    (__extension__({                                                                               \
        __typeof__(v) gca_value_ = (v);                                                            \
        (v) = NULL;                                                                                \
        gca_value_;                                                                                \
    }))
#else
#define gca_move(v)                                                                                \
    (__extension__({                                                                               \
        __typeof__(v) *gca_place_ = &(v);                                                          \
        __typeof__(v) gca_value_ = *gca_place_;                                                    \
        *gca_place_ = NULL;                                                                        \
        gca_value_;                                                                                \
    }))
#endif
#endif

#ifdef GCA_CHECK
#include <gcalloc/check.h>
#endif

#endif
