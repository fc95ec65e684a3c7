/*
 * gcalloc/check_libc.h: with GCA_CHECK, what checkers are told of libc. No program is built from this.
 */
#ifndef GCALLOC_CHECK_LIBC_H
#define GCALLOC_CHECK_LIBC_H

#include <gcalloc/annotate.h>

#ifdef GCA_CHECKS_BORROWS_

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void *malloc(size_t size_bytes) GCA_FRESH;
void *calloc(size_t count, size_t size_bytes) GCA_FRESH;
void *aligned_alloc(size_t align_bytes, size_t size_bytes) GCA_FRESH;
void *realloc(void *block, size_t size_bytes) GCA_CHANGES(block) GCA_FRESH;
char *strdup(const char *text) GCA_FRESH;
char *strndup(const char *text, size_t length) GCA_FRESH;
void free(void *block) GCA_TAKES(block);

int pthread_mutex_lock(pthread_mutex_t *mutex) GCA_LOCKS(mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex)
    GCA_CHECKS_(try_acquire_capability(0, GCA_P_(mutex)->lock));
int pthread_mutex_unlock(pthread_mutex_t *mutex) GCA_UNLOCKS(mutex);
int pthread_rwlock_rdlock(pthread_rwlock_t *lock) GCA_LOCKS_SHARED(lock);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock) GCA_LOCKS(lock);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
    GCA_CHECKS_(try_acquire_shared_capability(0, GCA_P_(lock)->lock));
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
    GCA_CHECKS_(try_acquire_capability(0, GCA_P_(lock)->lock));
int pthread_rwlock_unlock(pthread_rwlock_t *lock) GCA_UNLOCKS(lock);
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) GCA_NEEDS(mutex);
#endif

#ifdef GCA_CHECKS_MEMORY_

/*
 * What libc does with a pointer that it gets, where a checker has to fear more. A thread that could not be made has not got its argument. A
 * function that gets the address of a member does not keep the object around it; clang's analyzer fears so, and forgets the object.
 */
#include <pthread.h>
#include <stdio.h>

int gca_check_number_(void);
void gca_check_keep_(void *object); /* of any kind: many an argument is a local variable */

static inline int gca_check_thread_(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument)
{
    (void)attributes;
    (void)work;
    if (gca_check_number_() != 0)
        return 11; /* EAGAIN */
    *thread = (pthread_t)gca_check_number_();
    gca_check_keep_(argument);
    return 0;
}
#define pthread_create(thread, attributes, work, argument) gca_check_thread_(thread, attributes, work, argument)

#ifdef __clang_analyzer__
int gca_check_scanned_(const void *from, const char *format);
void gca_check_fill_(void *memory);
#define GCA_CHECK_STORES_(name, T)                                                                 \
    static inline void gca_check_store_##name##_(T *at)                                            \
    {                                                                                              \
        *at = (T)gca_check_number_();                                                              \
    }
GCA_CHECK_STORES_(int, int)
GCA_CHECK_STORES_(unsigned, unsigned)
GCA_CHECK_STORES_(long, long)
GCA_CHECK_STORES_(unsigned_long, unsigned long)
GCA_CHECK_STORES_(float, float)
GCA_CHECK_STORES_(double, double)
#define GCA_CHECK_STORE_(at)                                                                       \
    _Generic((at), int *: gca_check_store_int_, unsigned *: gca_check_store_unsigned_,             \
             long *: gca_check_store_long_, unsigned long *: gca_check_store_unsigned_long_,       \
             float *: gca_check_store_float_, double *: gca_check_store_double_,                   \
             default: gca_check_fill_)(at)
#define GCA_CHECK_SCAN1_(from, format, a) (GCA_CHECK_STORE_(a), gca_check_scanned_(from, format))
#define GCA_CHECK_SCAN2_(from, format, a, b) (GCA_CHECK_STORE_(a), GCA_CHECK_SCAN1_(from, format, b))
#define GCA_CHECK_SCAN3_(from, format, a, b, c) (GCA_CHECK_STORE_(a), GCA_CHECK_SCAN2_(from, format, b, c))
#define GCA_CHECK_SCAN4_(from, format, a, b, c, d) (GCA_CHECK_STORE_(a), GCA_CHECK_SCAN3_(from, format, b, c, d))
#define GCA_CHECK_SCAN_OF_(_1, _2, _3, _4, _5, _6, _7, _8, _9, name, ...) name
/* With more than four places, or none, it is the function. */
#define GCA_CHECK_SCAN_(function, from, ...)                                                       \
    GCA_CHECK_SCAN_OF_(__VA_ARGS__, function, function, function, function, GCA_CHECK_SCAN4_,      \
                       GCA_CHECK_SCAN3_, GCA_CHECK_SCAN2_, GCA_CHECK_SCAN1_, function, 0)          \
    (from, __VA_ARGS__)
#define sscanf(text, ...) GCA_CHECK_SCAN_(sscanf, text, __VA_ARGS__)
#define fscanf(file, ...) GCA_CHECK_SCAN_(fscanf, file, __VA_ARGS__)
#define pthread_mutex_init(mutex, attributes) ((void)(mutex), (void)(attributes), gca_check_number_())
#define pthread_mutex_destroy(mutex) ((void)(mutex), 0)
#define pthread_mutex_lock(mutex) ((void)(mutex), 0)
#define pthread_mutex_unlock(mutex) ((void)(mutex), 0)
#define pthread_cond_init(condition, attributes) ((void)(condition), (void)(attributes), gca_check_number_())
#define pthread_cond_destroy(condition) ((void)(condition), 0)
#endif
#endif

#endif
