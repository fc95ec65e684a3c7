/*
 * gcalloc/scratch.h: arenas that are there already: for what a function needs only until it returns, and for what lives
 * as long as a frame. See gcalloc_arena(3).
 */
#ifndef GCALLOC_SCRATCH_H
#define GCALLOC_SCRATCH_H

#include <gcalloc/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One of the two arenas that the calling thread has for this, but not `avoid`; they are made when first
 * needed, and freed when the thread ends. NULL and ENOMEM when memory is short.
 */
gca_arena *gca_scratch(const gca_arena *avoid);

/* A use of it: what it gets from the begin to the end goes at the end. Ends come in the reverse order of the begins. */
typedef struct gca_scope {
    gca_arena *arena; /* NULL when memory is short */
    gca_mark mark;
} gca_scope;

gca_scope gca_scratch_begin(const gca_arena *avoid);
void gca_scratch_end(gca_scope scope);

static inline void gca_scratch_end_at(gca_scope *scope)
{
    gca_scratch_end(*scope);
}

/*
 * A declaration: `name` is a scratch arena for the rest of the block. A function that allocates its result from an arena of
 * its caller's says that one in `avoid`, since it may be a scratch arena, too.
 */
#define gca_with_scratch(name, avoid)                                                                                  \
    gca_scope name##_scope __attribute__((cleanup(gca_scratch_end_at))) = gca_scratch_begin(avoid);                    \
    gca_arena *const name = name##_scope.arena

/* ---- frames ---- */

/* A ring of arenas: what one holds stays until the ring has come around. */
typedef struct gca_frame gca_frame;

/* The ring and its arenas end. NULL is allowed. */
void gca_frame_free(gca_frame *frame) GCA_DROPS(frame, 1);

/* With `count` arenas, 2 or more, made with these options; or NULL and errno, EINVAL or ENOMEM. */
gca_frame *gca_frame_new(unsigned count, const gca_arena_options *options) GCA_OWNED_OUTSIDE(gca_frame_free)
    __attribute__((warn_unused_result));

/* The arena of the present frame, which is the ring's. A ring is for one thread at a time. */
gca_arena *gca_frame_now(const gca_frame *frame) GCA_READS(frame);

/* The next frame begins: what its arena held, from `count` frames ago, ends. Returns that arena. */
gca_arena *gca_frame_swap(gca_frame *frame) GCA_READS(frame);

#ifdef __cplusplus
}
#endif

#ifdef GCA_CHECK
#define GCA_CHECK_SCRATCH_
#include <gcalloc/check.h>
#endif

#endif
