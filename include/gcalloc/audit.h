/*
 * gcalloc/audit.h: what only allocator, marker and owners together can tell: looks through all of the process's memory. See
 * gcalloc_own(3).
 *
 * All other threads are stopped for that; they can be with one of the options check, gc, leaks, or when there are none. No
 * function here may be called from a signal handler.
 */
#ifndef GCALLOC_AUDIT_H
#define GCALLOC_AUDIT_H

#include <gcalloc/arena.h>
#include <gcalloc/type.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gca_where {
    GCA_WHERE_BLOCK,  /* malloc's */
    GCA_WHERE_ARENA,
    GCA_WHERE_POOL,
    GCA_WHERE_STACK,
    GCA_WHERE_STATIC, /* data of an object file, thread-local or mapped memory */
    GCA_WHERE_NOWHERE
} gca_where;

/* A word somewhere that is the address of something. */
typedef struct gca_pointer {
    gca_where where;
    const void *holder;   /* the block or object; for an arena the first object of its chunk; else the word itself */
    size_t offset;        /* of the word in it */
    const gca_type *type; /* of the block, or NULL */
    const void *target;   /* what it says */
} gca_pointer;

/*
 * Calls visit for each pointer into what the arena, or one of its sub-arenas, has handed out, from outside of them: from blocks, other
 * arenas, pools, static data, stacks. visit may do anything but use gcalloc/audit.h. At most 1000 are told. Returns how many there
 * are, or -errno: -EOPNOTSUPP, -EAGAIN when a thread could not be stopped.
 *
 * With the option check gca_arena_free() looks by itself, as long as that takes less than a tenth of the program's time, and reports what
 * it finds unless it is on stacks only.
 */
long gca_arena_pointers(gca_arena *arena, void (*visit)(const gca_pointer *pointer, void *context), void *context);

typedef enum gca_finding_kind {
    GCA_UNREFERENCED_BUT_OWNED, /* nothing leads to the object; `other` owns it */
    GCA_OWNER_GONE,             /* the owner of the object was freed without it; `other` is where it was */
    GCA_COUNT_ABOVE,            /* more references are counted than there are words anywhere that could be one */
    GCA_COUNT_BELOW,            /* more fields of objects hold it than references are counted */
    GCA_INTO_DEAD_ARENA,        /* the object has a pointer, `other`, at `offset`, into an arena that is gone */
    GCA_BORROW_WITHOUT_END      /* the object is borrowed; only told when borrows are checked */
} gca_finding_kind;

typedef struct gca_finding {
    gca_finding_kind kind;
    const void *object;
    const gca_type *type; /* or NULL */
    const void *other;
    size_t offset;
    uint32_t counted;     /* references */
    uint32_t seen;
} gca_finding;

/* Calls visit for each finding, 1000 at most. visit may do anything but use gcalloc/audit.h. Returns how many there are, or -errno. */
long gca_audit(void (*visit)(const gca_finding *finding, void *context), void *context);

/* The same, as a report to standard error or the log file. */
long gca_audit_report(void);

#ifdef __cplusplus
}
#endif

#endif
