/*
 * gcalloc/scope.h: what is to be done at the end of a block. All are plain declarations: break, continue, goto and return
 * keep their meaning. See gcalloc_own(3).
 */
#ifndef GCALLOC_SCOPE_H
#define GCALLOC_SCOPE_H

#include <gcalloc/annotate.h>

#include <pthread.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

void gca_drop_at(void *variable) GCA_DROPS_AT(variable);

/*
 * gca_scoped(T, v, e): declares v, of the pointer type T, with the value e; what v then holds is dropped at the end of the
 * block: gca_move(v) takes it away from that. Last declared, first dropped.
 */
#define gca_scoped(T, v, e) T v __attribute__((cleanup(gca_drop_at), unused)) = gca_opaque(e)

/* ---- anything else ---- */

typedef struct gca_deferred {
    void (*function)(void *argument); /* NULL when disarmed */
    void *argument;
} gca_deferred;

static inline void gca_run_deferred_at(gca_deferred *deferred)
{
    if (deferred->function != NULL)
        deferred->function(deferred->argument);
}

/* `guard` calls function(argument) at the end of the block, unless it is disarmed: rollback until commit. */
#define gca_defer_as(guard, function, argument)                                                                        \
    gca_deferred guard __attribute__((cleanup(gca_run_deferred_at), unused)) = {function, argument}

/* The same without a name. */
#define gca_defer(function, argument) gca_defer_line_(__LINE__, function, argument)
#define gca_defer_line_(line, function, argument) gca_defer_line_again_(line, function, argument)
#define gca_defer_line_again_(line, function, argument) gca_defer_as(gca_deferred_##line, function, argument)

#define gca_disarm(guard) ((guard).function = NULL)

/* ---- locks, held until the end of the block; pointers to pthread's ---- */

static inline void gca_unlock_mutex_at(pthread_mutex_t **mutex) GCA_UNLOCKS_AT(mutex) GCA_TRUSTED;
static inline void gca_unlock_rwlock_at(pthread_rwlock_t **lock) GCA_UNLOCKS_AT(lock) GCA_TRUSTED;
static inline pthread_mutex_t *gca_lock_mutex(pthread_mutex_t *mutex) GCA_LOCKS(mutex) GCA_RETURNS(mutex) GCA_TRUSTED;
static inline pthread_rwlock_t *gca_lock_to_read(pthread_rwlock_t *lock) GCA_LOCKS_SHARED(lock) GCA_RETURNS(lock) GCA_TRUSTED;
static inline pthread_rwlock_t *gca_lock_to_write(pthread_rwlock_t *lock) GCA_LOCKS(lock) GCA_RETURNS(lock) GCA_TRUSTED;

static inline void gca_unlock_mutex_at(pthread_mutex_t **mutex)
{
    if (*mutex != NULL)
        pthread_mutex_unlock(*mutex);
}

static inline void gca_unlock_rwlock_at(pthread_rwlock_t **lock)
{
    if (*lock != NULL)
        pthread_rwlock_unlock(*lock);
}

static inline pthread_mutex_t *gca_lock_mutex(pthread_mutex_t *mutex)
{
    return pthread_mutex_lock(mutex) == 0 ? mutex : NULL;
}

static inline pthread_rwlock_t *gca_lock_to_read(pthread_rwlock_t *lock)
{
    return pthread_rwlock_rdlock(lock) == 0 ? lock : NULL;
}

static inline pthread_rwlock_t *gca_lock_to_write(pthread_rwlock_t *lock)
{
    return pthread_rwlock_wrlock(lock) == 0 ? lock : NULL;
}

/* `guard` is NULL when locking failed (an error-checking mutex). */
#define gca_guard_mutex(guard, mutex)                                                                                  \
    pthread_mutex_t *guard __attribute__((cleanup(gca_unlock_mutex_at), unused)) = gca_lock_mutex(mutex)
#define gca_guard_read(guard, lock)                                                                                    \
    pthread_rwlock_t *guard __attribute__((cleanup(gca_unlock_rwlock_at), unused)) = gca_lock_to_read(lock)
#define gca_guard_write(guard, lock)                                                                                   \
    pthread_rwlock_t *guard __attribute__((cleanup(gca_unlock_rwlock_at), unused)) = gca_lock_to_write(lock)

/* ---- state ---- */

enum { GCA_SAVED_BYTES_MAX = 16 };

typedef struct gca_saved {
    void *variable; /* NULL when disarmed: the new value stays */
    size_t size_bytes;
    unsigned char value[GCA_SAVED_BYTES_MAX];
} gca_saved;

static inline void gca_restore_at(gca_saved *saved)
{
    if (saved->variable != NULL)
        memcpy(saved->variable, saved->value, saved->size_bytes);
}

static inline gca_saved gca_save(void *variable, size_t size_bytes)
{
    gca_saved saved;
    saved.variable = variable;
    saved.size_bytes = size_bytes;
    memcpy(saved.value, variable, size_bytes);
    return saved;
}

/*
 * The variable, of at most 16 bytes, has the new value until the end of the block, and then its old one again;
 * gca_keep(guard) lets it keep what it has.
 */
#define gca_guard_value(guard, lvalue, new_value)                                                                      \
    gca_saved guard __attribute__((cleanup(gca_restore_at), unused)) = gca_save(&(lvalue), sizeof(lvalue));            \
    (void)sizeof(char[sizeof(lvalue) <= GCA_SAVED_BYTES_MAX ? 1 : -1]);                                                \
    (lvalue) = (new_value)
#define gca_keep(guard) ((guard).variable = NULL)

#ifdef __cplusplus
}
#endif

#endif
