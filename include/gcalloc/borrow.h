/*
 * gcalloc/borrow.h: who uses an object that is another's, checked while the program runs. See gcalloc_own(3).
 *
 * With the option check=report or check=abort every borrow is counted, and a conflict is reported with the places of both:
 * a mutable borrow beside any other, an object that is freed, dropped, resized or moved while it is borrowed, a borrow
 * that ends twice or never. Without, nothing is counted, and each of these is a test of one variable; with GCA_NO_CHECKS defined not even
 * that. An object is an allocated block from malloc, or such a block of any type. Other pointers are let pass. From any thread, but from
 * no signal handler; none of these fails, but where it says so.
 */
#ifndef GCALLOC_BORROW_H
#define GCALLOC_BORROW_H

#include <gcalloc/annotate.h>
#include <gcalloc/lend.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where in the program. */
typedef struct gca_place {
    const char *file;
    const char *function;
    int line;
} gca_place;

#define GCA_HERE                                                                                                       \
    (__extension__({                                                                                                   \
        static const gca_place gca_place_ = {__FILE__, __func__, __LINE__};                                            \
        &gca_place_;                                                                                                   \
    }))

/* 0 when nothing is checked. Never written by the program. */
extern int gca_checks;

#ifdef GCA_NO_CHECKS
#define GCA_CHECKING_ 0
#else
#define GCA_CHECKING_ __builtin_expect(gca_checks, 0)
#endif

const void *gca_borrow_counted(const void *object, const gca_place *place) GCA_LENDS(object);
void *gca_borrow_mut_counted(void *object, const gca_place *place) GCA_LENDS_MUT(object);
bool gca_try_borrow_counted(const void *object, const gca_place *place) GCA_TRIES(object);
bool gca_try_borrow_mut_counted(void *object, const gca_place *place) GCA_TRIES_MUT(object);
void gca_end_counted(const void *borrow, const gca_place *place) GCA_ENDS(borrow);
void gca_end_mut_counted(void *borrow, const gca_place *place) GCA_ENDS_MUT(borrow);

#if defined GCA_CHECKS_BORROWS_
#define GCA_IF_CHECKING_(call, otherwise) call
#elif defined GCA_CHECKS_MEMORY_
#define GCA_IF_CHECKING_(call, otherwise) (otherwise)
#else
#define GCA_IF_CHECKING_(call, otherwise) (GCA_CHECKING_ ? (call) : (otherwise))
#endif

/* A compiler that checks is to see the functions themselves. */
#if defined GCA_CHECK || defined __clang_analyzer__ || defined GCA_CHECKS_BORROWS_
#define GCA_LENT_(name) name##_counted
#define GCA_END_AT_ gca_end_at
#define GCA_END_MUT_AT_ gca_end_mut_at
#else
#define GCA_LENT_(name) name##_quickly_
#define GCA_END_AT_ gca_end_at_quickly_
#define GCA_END_MUT_AT_ gca_end_mut_at_quickly_
#endif

/*
 * Borrows the object: to read it, with others; or to change it, alone. Each is ended by gca_end() or gca_end_mut() of what it
 * returned, which is p, as `const T *` or `T *`.
 */
#define gca_borrow(p) ((const __typeof__(*(p)) *)GCA_IF_CHECKING_(GCA_LENT_(gca_borrow)(p, GCA_HERE), (const void *)(p)))
#define gca_borrow_mut(p) ((__typeof__(&*(p)))GCA_IF_CHECKING_(GCA_LENT_(gca_borrow_mut)(p, GCA_HERE), (void *)(p)))

/* The same if there is no conflict; false, and no report, if there is one. Unless something is checked always true. */
#define gca_try_borrow(p) GCA_IF_CHECKING_(gca_try_borrow_counted(p, GCA_HERE), true)
#define gca_try_borrow_mut(p) GCA_IF_CHECKING_(gca_try_borrow_mut_counted(p, GCA_HERE), true)

#define gca_end(p) GCA_IF_CHECKING_(GCA_LENT_(gca_end)(p, GCA_HERE), (void)0)
#define gca_end_mut(p) GCA_IF_CHECKING_(GCA_LENT_(gca_end_mut)(p, GCA_HERE), (void)0)

void gca_end_at(const void *variable) GCA_ENDS_AT(variable);
void gca_end_mut_at(const void *variable) GCA_ENDS_MUT_AT(variable);

#if !(defined GCA_CHECK || defined __clang_analyzer__ || defined GCA_CHECKS_BORROWS_)
static inline const void *gca_borrow_quickly_(const void *object, const gca_place *place)
{
    return __builtin_expect(gca_lend_(object, place, 0), 1) ? object : gca_borrow_counted(object, place);
}

static inline void *gca_borrow_mut_quickly_(void *object, const gca_place *place)
{
    return __builtin_expect(gca_lend_(object, place, GCA_LENT_MUT_), 1) ? object : gca_borrow_mut_counted(object, place);
}

static inline void gca_end_quickly_(const void *borrow, const gca_place *place)
{
    if (__builtin_expect(!gca_give_back_(borrow, 0), 0))
        gca_end_counted(borrow, place);
}

static inline void gca_end_mut_quickly_(void *borrow, const gca_place *place)
{
    if (__builtin_expect(!gca_give_back_(borrow, GCA_LENT_MUT_), 0))
        gca_end_mut_counted(borrow, place);
}

static inline void gca_end_at_quickly_(const void *variable)
{
    if (GCA_CHECKING_ && __builtin_expect(!gca_give_back_(*(const void *const *)variable, 0), 0))
        gca_end_at(variable);
}

static inline void gca_end_mut_at_quickly_(const void *variable)
{
    if (GCA_CHECKING_ && __builtin_expect(!gca_give_back_(*(const void *const *)variable, GCA_LENT_MUT_), 0))
        gca_end_mut_at(variable);
}
#endif

/* Declarations: `name` is a borrow of p until the end of the block that this stands in. */
#define gca_with(name, p) const __typeof__(*(p)) *name __attribute__((cleanup(GCA_END_AT_), unused)) = gca_borrow(p)
#define gca_with_mut(name, p)                                                                                          \
    __typeof__(&*(p)) name __attribute__((cleanup(GCA_END_MUT_AT_), unused)) = gca_borrow_mut(p)

/* For functions that change or end the object: it is reported if anybody has borrowed it. */
void gca_assert_unborrowed_counted(const void *object, const gca_place *place) GCA_READS(object);
#define gca_assert_unborrowed(p) GCA_IF_CHECKING_(gca_assert_unborrowed_counted(p, GCA_HERE), (void)0)

/* Borrows of the object that have not ended: shared ones, or 1 for a mutable one. */
unsigned gca_borrows(const void *object);

/*
 * Reports every borrow of the calling thread's that has not ended, and returns how many there are. A thread that ends does so by itself, and
 * the main thread when the program ends.
 */
size_t gca_report_borrows(void);

/* ---- one thread's own ---- */

/*
 * From now on the object is for the calling thread alone: with checks on, it is reported when another borrows, drops or frees it, or
 * asks. gca_send() gives it up, and gca_receive() in another thread takes it over. Return 0, -EINVAL or -ENOMEM.
 */
int gca_bind(void *object);
int gca_send(void *object);
int gca_receive(void *object);

void gca_assert_mine_counted(const void *object, const gca_place *place) GCA_READS(object);
#define gca_assert_mine(p) GCA_IF_CHECKING_(gca_assert_mine_counted(p, GCA_HERE), (void)0)

#ifdef __cplusplus
}
#endif

#endif
