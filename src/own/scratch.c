/*
 * own/scratch: arenas of the calling thread's, and rings of arenas.
 *
 * A thread has two scratch arenas: a function that puts its result into a scratch arena of its caller's needs another for
 * itself. More are not needed, however deep the calls are: each takes the one that its result does not go to.
 *
 * Uses heap. Locks: one, when a process first uses a scratch arena.
 */
#include "gcalloc/scratch.h"

#include "base/compiler.h"
#include "base/lock.h"
#include "own/export.h"

#include <errno.h>
#include <pthread.h>

enum { SCRATCH_COUNT = 2 };

struct scratch {
    gca_arena *arenas[SCRATCH_COUNT];
};

static _Thread_local struct scratch scratch __attribute__((tls_model("initial-exec")));

static struct lock key_lock;
static _Atomic bool key_exists;
static pthread_key_t key;

/* Later destructors of the thread's may begin again; then this is called once more. */
static void on_thread_exit(void *argument)
{
    struct scratch *mine = argument;
    for (size_t i = 0; i < SCRATCH_COUNT; i++) {
        gca_arena_free(mine->arenas[i]);
        mine->arenas[i] = NULL;
    }
}

static bool make_key(void)
{
    lock_take(&key_lock);
    if (!key_exists)
        key_exists = pthread_key_create(&key, on_thread_exit) == 0;
    lock_release(&key_lock);
    return key_exists;
}

COLD static gca_arena *make(size_t index)
{
    if (!make_key() || pthread_setspecific(key, &scratch) != 0) {
        errno = ENOMEM;
        return NULL;
    }
    return scratch.arenas[index] = gca_arena_new(&(gca_arena_options){.name = index == 0 ? "scratch" : "scratch 2"});
}

EXPORT gca_arena *gca_scratch(const gca_arena *avoid)
{
    size_t index = avoid != NULL && avoid == scratch.arenas[0];
    gca_arena *arena = scratch.arenas[index];
    return LIKELY(arena != NULL) ? arena : make(index);
}

EXPORT gca_scope gca_scratch_begin(const gca_arena *avoid)
{
    gca_arena *arena = gca_scratch(avoid);
    if (arena == NULL)
        return (gca_scope){0};
    return (gca_scope){arena, gca_arena_mark(arena)};
}

EXPORT void gca_scratch_end(gca_scope scope)
{
    if (scope.arena != NULL)
        gca_arena_rewind(scope.arena, scope.mark);
}

/* ---- frames ---- */

/* The ring lies in an arena of its own, the parent of all. */
struct gca_frame {
    gca_arena *home;
    unsigned count;
    unsigned present;
    gca_arena *arenas[];
};

EXPORT gca_frame *gca_frame_new(unsigned count, const gca_arena_options *options)
{
    gca_arena_options each = options != NULL ? *options : (gca_arena_options){0};
    if (count < 2) {
        errno = EINVAL;
        return NULL;
    }
    gca_arena_options first = each;
    first.first_bytes = sizeof(gca_frame) + count * sizeof(gca_arena *);
    first.flags &= ~(unsigned)GCA_ARENA_STRICT;
    gca_arena *home = gca_arena_new(&first);
    if (home == NULL)
        return NULL;
    gca_frame *frame = gca_arena_alloc(home, first.first_bytes);
    bool is_complete = frame != NULL;
    each.parent = home;
    each.budget_bytes = 0;
    for (unsigned i = 0; i < count && is_complete; i++)
        is_complete = (frame->arenas[i] = gca_arena_new(&each)) != NULL;
    if (!is_complete) {
        gca_arena_free(home);
        return NULL;
    }
    frame->home = home;
    frame->count = count;
    frame->present = 0;
    return frame;
}

EXPORT void gca_frame_free(gca_frame *frame)
{
    if (frame != NULL)
        gca_arena_free(frame->home);
}

EXPORT gca_arena *gca_frame_now(const gca_frame *frame)
{
    return frame->arenas[frame->present];
}

EXPORT gca_arena *gca_frame_swap(gca_frame *frame)
{
    frame->present = frame->present + 1 == frame->count ? 0 : frame->present + 1;
    gca_arena_reset(frame->arenas[frame->present]);
    return frame->arenas[frame->present];
}
