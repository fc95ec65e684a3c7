/*
 * neutral: every annotation in one place. neutral.sh compiles it as it is and with NEUTRAL_BARE, where all of them are
 * empty: the objects are to be the same.
 */
#include <gcalloc/annotate.h>
#include <pthread.h>

#ifdef NEUTRAL_BARE
#undef GCA_OWNED
#undef GCA_OWNED_OUTSIDE
#undef GCA_COUNTED
#undef GCA_TRUSTED
#undef GCA_FRESH
#undef GCA_TAKES
#undef GCA_DROPS
#undef GCA_KEEPS
#undef GCA_RETURNS
#undef GCA_READS
#undef GCA_CHANGES
#undef GCA_LENDS
#undef GCA_LENDS_MUT
#undef GCA_TRIES
#undef GCA_TRIES_MUT
#undef GCA_ENDS
#undef GCA_ENDS_MUT
#undef GCA_LOCKS
#undef GCA_LOCKS_SHARED
#undef GCA_UNLOCKS
#undef GCA_NEEDS
#undef GCA_NEEDS_SHARED
#undef GCA_NEEDS_NOT
#undef GCA_GUARDED_BY
#undef GCA_DROPS_AT
#undef GCA_ENDS_AT
#undef GCA_ENDS_MUT_AT
#undef GCA_UNLOCKS_AT
#undef gca_let
#undef gca_let_or
#undef gca_opaque
#define GCA_OWNED(drop)
#define GCA_OWNED_OUTSIDE(drop)
#define GCA_COUNTED(release)
#define GCA_TRUSTED
#define GCA_FRESH
#define GCA_TAKES(p)
#define GCA_DROPS(p, n)
#define GCA_KEEPS(p, n)
#define GCA_RETURNS(p)
#define GCA_READS(p)
#define GCA_CHANGES(p)
#define GCA_LENDS(p)
#define GCA_LENDS_MUT(p)
#define GCA_TRIES(p)
#define GCA_TRIES_MUT(p)
#define GCA_ENDS(p)
#define GCA_ENDS_MUT(p)
#define GCA_LOCKS(p)
#define GCA_LOCKS_SHARED(p)
#define GCA_UNLOCKS(p)
#define GCA_NEEDS(p)
#define GCA_NEEDS_SHARED(p)
#define GCA_NEEDS_NOT(p)
#define GCA_GUARDED_BY(p)
#define GCA_DROPS_AT(p)
#define GCA_ENDS_AT(p)
#define GCA_ENDS_MUT_AT(p)
#define GCA_UNLOCKS_AT(p)
#define gca_opaque(e) (e)
#define gca_let(T, v, e) T v = e
#define gca_let_or(T, v, e)                                                                        \
    T v = e;                                                                                       \
    if (!v)
#endif

struct part {
    struct part *next;
    int value;
};
struct whole {
    pthread_mutex_t lock;
    struct part *first GCA_GUARDED_BY(lock);
    int count;
};

void part_drop(struct part *part) GCA_DROPS(part, 1);
void part_drop_at(struct part **part) GCA_DROPS_AT(part);
struct part *part_new(int value) GCA_OWNED_OUTSIDE(part_drop) GCA_TRUSTED;
struct part *part_copy(const struct part *part) GCA_OWNED(part_drop);
struct part *part_retain(struct part *part) GCA_COUNTED(part_drop);
struct part *part_of(struct whole *whole, int index) GCA_FRESH;
struct part *part_same(struct part *part) GCA_RETURNS(part);
void whole_add(struct whole *whole, struct part *part) GCA_CHANGES(whole) GCA_KEEPS(part, 2);
void whole_give(struct whole *whole, struct part *part) GCA_TAKES(part);
int part_value(const struct part *part) GCA_READS(part);
const struct part *part_borrow(const struct part *part) GCA_LENDS(part);
struct part *part_borrow_mut(struct part *part) GCA_LENDS_MUT(part);
bool part_try(const struct part *part) GCA_TRIES(part);
bool part_try_mut(struct part *part) GCA_TRIES_MUT(part);
void part_end(const struct part *part) GCA_ENDS(part);
void part_end_mut(struct part *part) GCA_ENDS_MUT(part);
void part_end_at(const struct part **part) GCA_ENDS_AT(part);
void part_end_mut_at(struct part **part) GCA_ENDS_MUT_AT(part);
void lock_it(pthread_mutex_t *lock) GCA_LOCKS(lock);
void share_it(pthread_mutex_t *lock) GCA_LOCKS_SHARED(lock);
void unlock_it(pthread_mutex_t *lock) GCA_UNLOCKS(lock);
void unlock_at(pthread_mutex_t **lock) GCA_UNLOCKS_AT(lock);
int whole_sum(struct whole *whole) GCA_NEEDS(&whole->lock);
int whole_peek(struct whole *whole) GCA_NEEDS_SHARED(&whole->lock);
int whole_wait(struct whole *whole) GCA_NEEDS_NOT(&whole->lock);

int whole_sum(struct whole *whole)
{
    int sum = 0;
    for (struct part *part = whole->first; part != NULL; part = part->next)
        sum += part_value(part);
    return sum;
}

int ownership(struct whole *whole, int value);
int ownership(struct whole *whole, int value)
{
    gca_let_or(struct part *, part, part_new(value)) return -1;
    gca_let(struct part *, other, part_new(value + 1));
    struct part *scoped __attribute__((cleanup(part_drop_at))) = gca_opaque(part_new(3));
    part->value += part_value(scoped);
    if (part_value(part_same(part)) > 3) {
        part_drop(part);
        whole_give(whole, gca_move(other));
        return part_value(part_of(whole, 0));
    }
    whole_add(whole, part);
    whole->count += part_value(part);
    part_drop(part_copy(other));
    part_drop(part_retain(other));
    part_drop(other);
    whole_add(whole, gca_move(scoped));
    return 0;
}

int borrowing(struct whole *whole, struct part *part);
int borrowing(struct whole *whole, struct part *part)
{
    const struct part *read = part_borrow(part);
    const struct part *scoped __attribute__((cleanup(part_end_at))) = part_borrow(part);
    int value = part_value(read) + part_value(scoped) + part->value;
    part_end(read);
    if (part_try_mut(part)) {
        part->value++;
        part_end_mut(part);
    }
    {
        struct part *mutable __attribute__((cleanup(part_end_mut_at))) = part_borrow_mut(part);
        mutable->value += value;
    }
    struct part *mutable = part_borrow_mut(part);
    mutable->value++;
    part_end_mut(mutable);
    if (part_try(part))
        part_end(part);
    share_it(&whole->lock);
    value += whole_peek(whole);
    unlock_it(&whole->lock);
    {
        pthread_mutex_t *guard __attribute__((cleanup(unlock_at))) = &whole->lock;
        lock_it(guard);
        value += whole_sum(whole);
    }
    return value + whole_wait(whole);
}
