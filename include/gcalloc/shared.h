/*
 * gcalloc/shared.h: objects that end with the last reference to them. See gcalloc_own(3).
 *
 * References are counted beside the heap. The thread that made the object counts in plain memory, others atomically, and
 * whoever sees the last one go drops the object. A reference that one thread took may be released by another: what the
 * maker's thread has to merge for that it does when it next makes, drops or asks, or ends.
 */
#ifndef GCALLOC_SHARED_H
#define GCALLOC_SHARED_H

#include <gcalloc/annotate.h>
#include <gcalloc/count.h>
#include <gcalloc/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gives a reference up; with the last one the object ends, as by gca_drop(). NULL is allowed. */
void gca_release(void *object) GCA_DROPS(object, 1);

/* T *, a new object, all zero, with one reference. NULL and ENOMEM when memory is short. */
void *gca_rc_new_at(gca_site *site) GCA_COUNTED_OUTSIDE(gca_release) __attribute__((warn_unused_result));
#define gca_rc_new(T) ((T *)gca_rc_new_at(GCA_SITE_(T)))

/* Makes a block with one owner, any from malloc, a counted one with one reference. Returns 0, -EINVAL after a report, or -ENOMEM. */
int gca_share(void *object);

/* Another reference. Returns the object; NULL is allowed. */
void *gca_retain_of(const void *object) GCA_READS(object) GCA_OWNED(gca_release);
#define gca_retain(p) ((__typeof__(&*(p)))GCA_QUICKLY_(gca_retain)(p))

/* How many references there are, in this moment. 0 for what is not counted. */
uint32_t gca_count(const void *object);

/* The object with one owner again, if this is the only reference; else NULL, and nothing has changed. */
void *gca_unwrap_of(void *object);
#define gca_unwrap(p) ((__typeof__(&*(p)))gca_unwrap_of(p))

/*
 * The object, to be changed: the very one if the variable v has the only reference, else a clone, of which v gets a reference
 * for that it gives up. NULL and errno as gca_clone(): then v is as before.
 */
void *gca_unique_at(void *variable);
#define gca_unique(v) ((__typeof__(&*(v)))gca_unique_at(&(v)))

/*
 * From the thread that made it: all threads, this one too, count alike from now on. For what will be handed around; then nothing
 * waits for this thread.
 */
void gca_share_freely(void *object);

/* Merges what other threads wait for; without it that happens when the thread makes or drops a counted object. Returns how many. */
size_t gca_merge(void);

/* ---- weak references ---- */

/*
 * Means a block, any from malloc, as long as it is not freed: then nothing for ever, also when its address is used again. A value: it
 * is copied and forgotten as one likes, and keeps nothing alive. All zero means nothing.
 */
typedef struct gca_weak {
    uint64_t word; /* address / 16: 44 bits; generation: 20 */
} gca_weak;

/* All zero and errno: EINVAL for what is no allocated block, ENOMEM. */
gca_weak gca_downgrade(const void *object);

/* A reference to the object, or NULL when it has ended. Only for counted ones. */
void *gca_upgrade(gca_weak weak) GCA_COUNTED_OUTSIDE(gca_release) __attribute__((warn_unused_result));

/* The object without a reference, or NULL; good as long as the program knows that nobody ends it. */
void *gca_get(gca_weak weak);

/* ---- inline ---- */

/* A compiler that checks is to see the functions themselves. */
#if defined GCA_CHECK || defined __clang_analyzer__
#define GCA_QUICKLY_(name) name##_of
#else
#define GCA_QUICKLY_(name) name##_quickly_

static inline void *gca_retain_quickly_(const void *object)
{
    struct gca_note_ *note;
    if (__builtin_expect(!gca_find_own_(object, 0, &note), 0))
        return gca_retain_of(object);
    note->strong++;
    return (void *)(uintptr_t)object;
}

static inline void gca_release_quickly_(void *object)
{
    struct gca_note_ *note;
    if (__builtin_expect(!gca_find_own_(object, GCA_WATCHED_, &note), 0) || __builtin_expect(note->strong == 1, 0))
        gca_release(object);
    else
        note->strong--; /* written by this thread alone, as long as that holds the object */
}

static inline __attribute__((always_inline)) void *gca_weak_object_(gca_weak weak)
{
    return (void *)(uintptr_t)(weak.word >> GCA_GENERATION_BITS_ << 4);
}

static inline __attribute__((always_inline)) bool gca_weak_is_of_(gca_weak weak, const struct gca_note_ *note)
{
    return __builtin_expect(__atomic_load_n(&note->word, __ATOMIC_ACQUIRE) >> GCA_GENERATION_SHIFT_ ==
                                (weak.word & ((1u << GCA_GENERATION_BITS_) - 1)), 1);
}

/* What was found is the object's if, afterwards, the generation is right and the way there is the same. */
static inline __attribute__((always_inline)) void *gca_upgrade_quickly_(gca_weak weak)
{
    void *object = gca_weak_object_(weak);
    struct gca_way_ way;
    struct gca_note_ *note;
    if (__builtin_expect(!gca_find_way_(object, &way, &note), 0) ||
        !gca_has_(note, GCA_HOLDER_MASK_, gca_self_1.holder) || !gca_weak_is_of_(weak, note) || !gca_is_same_way_(&way))
        return gca_upgrade(weak);
    note->strong++;
    return object;
}

static inline void *gca_get_quickly_(gca_weak weak)
{
    void *object = gca_weak_object_(weak);
    struct gca_way_ way;
    struct gca_note_ *note;
    if (__builtin_expect(!gca_find_way_(object, &way, &note), 0) || !gca_weak_is_of_(weak, note) || !gca_has_(note, GCA_DYING_, 0))
        return gca_get(weak);
    return object;
}

#define gca_release(object) gca_release_quickly_(object)
#define gca_upgrade(weak) gca_upgrade_quickly_(weak)
#define gca_get(weak) gca_get_quickly_(weak)
#endif

/* ---- cycles ---- */

/*
 * Objects that only hold each other: those of types with pointers (GCA_POINTERS) are found by trial deletion, begun at objects that
 * lost a reference but not the last. Frees those that hold each other only, and that no borrow, no weak reference just upgraded and
 * no address on the calling thread's stack or in its registers leads to; with the option check, no address anywhere. Returns how many
 * objects it freed.
 *
 * Stops looking after about budget_ns, 0 for no limit, and goes on there the next time. A thread looks at objects it made itself and no other
 * thread has referred to.
 */
size_t gca_cycles(uint64_t budget_ns);

/* The calling thread looks by itself when so many suspects wait, 10,000 at first; 0: never. It also does so when memory is short. */
void gca_cycles_threshold(size_t suspects);

typedef struct gca_cycle_stats {
    uint64_t runs;
    uint64_t suspects;  /* looked at */
    uint64_t visited;   /* objects looked at */
    uint64_t freed;
    uint64_t held;      /* in cycles that something else than references holds: a borrow, an address on the stack */
    uint64_t waiting;   /* suspects now */
    uint64_t ns_total;
    uint64_t ns_max;    /* of one run */
} gca_cycle_stats;

/* Of the calling thread. */
void gca_cycles_get_stats(gca_cycle_stats *stats_out);

#ifdef __cplusplus
}
#endif

#endif
