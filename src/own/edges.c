/*
 * own/edges: which object owns which.
 *
 * A node for each block that owns or is owned, in a hash table by address, and linked as a tree. A block's note says
 * HOLDER_EDGES while it has a node; a node that its block does not know of is a former block's at that address, which a
 * collector has freed, and goes when it is met.
 *
 * Uses base, heap, gc. Locks: own_lock.
 */
#include "own/edges.h"

#include "gc/cycle.h"
#include "gc/roots.h"
#include "heap/metadata.h"
#include "own/export.h"
#include "own/self.h"

#include "gcalloc/own.h"

#include <errno.h>

enum { TABLE_FIRST = 256, SPARE_MAX = 1024 };

static struct edge_node **table;
static size_t table_count; /* a power of two */
static size_t node_count;
static struct edge_node *spare; /* by next_in_bucket: objects that own come and go, and metadata takes its time */
static size_t spare_count;
static struct edge_node *recent; /* the last owner that got a child, mostly that of the next one, too. Or NULL */

/* ---- nodes ---- */

static struct edge_node *take_node(void *block)
{
    struct edge_node *node = spare;
    if (node == NULL) {
        node = metadata_take(sizeof *node);
    } else {
        spare = node->next_in_bucket;
        spare_count--;
    }
    if (node != NULL)
        *node = (struct edge_node){.block = block};
    return node;
}

static void put_node(struct edge_node *node)
{
    if (recent == node)
        recent = NULL;
    if (spare_count == SPARE_MAX) {
        metadata_put(node, sizeof *node);
        return;
    }
    node->next_in_bucket = spare;
    spare = node;
    spare_count++;
}

static struct edge_node **bucket_of(const void *block)
{
    uint64_t hash = ((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u;
    return &table[(hash >> 32) & (table_count - 1)];
}

static struct edge_node *find(const void *block)
{
    if (table == NULL)
        return NULL;
    if (recent != NULL && recent->block == block)
        return recent;
    struct edge_node *node = *bucket_of(block);
    while (node != NULL && node->block != block)
        node = node->next_in_bucket;
    return node;
}

static void link_node(struct edge_node *node)
{
    struct edge_node **bucket = bucket_of(node->block);
    node->next_in_bucket = *bucket;
    *bucket = node;
}

static void unlink_node(struct edge_node *node)
{
    struct edge_node **at = bucket_of(node->block);
    while (*at != node)
        at = &(*at)->next_in_bucket;
    *at = node->next_in_bucket;
}

static bool grow(void)
{
    size_t count = table == NULL ? TABLE_FIRST : 2 * table_count;
    struct edge_node **larger = metadata_take(count * sizeof *larger);
    if (larger == NULL)
        return table != NULL; /* a full table is slow, but works */
    struct edge_node **old = table;
    size_t old_count = table_count;
    table = larger;
    table_count = count;
    for (size_t i = 0; i < old_count; i++)
        for (struct edge_node *next, *node = old[i]; node != NULL; node = next) {
            next = node->next_in_bucket;
            link_node(node);
        }
    metadata_put(old, old_count * sizeof *old);
    return true;
}

/* A collector knows nothing of edges: what is owned is pinned. */
static void set_pinned(const void *block, bool pinned)
{
    if (!gc_active())
        return;
    if (pinned)
        roots_pin_owned(block);
    else
        roots_unpin_owned(block);
}

static void leave_owner(struct edge_node *node)
{
    if (node->owner == NULL)
        return;
    if (node->newer != NULL)
        node->newer->older = node->older;
    else
        node->owner->newest = node->older;
    if (node->older != NULL)
        node->older->newer = node->newer;
    node->owner->count--;
    node->owner = node->older = node->newer = NULL;
    set_pinned(node->block, false);
}

static void put(struct edge_node *node)
{
    unlink_node(node);
    node_count--;
    put_node(node);
}

static void orphan_all(struct edge_node *owner)
{
    while (owner->newest != NULL) {
        struct edge_node *child = owner->newest;
        leave_owner(child);
        child->gone = owner->block;
    }
}

/* The block's node, made if need be; NULL when memory is short. */
static struct edge_node *need(void *block, struct note *note)
{
    struct edge_node *node = find(block);
    if (UNLIKELY(node != NULL) && UNLIKELY(!note_has(note, HOLDER_EDGES))) {
        leave_owner(node);
        orphan_all(node);
        put(node);
        node = NULL;
    }
    if (node != NULL)
        return node;
    if ((table == NULL || node_count >= table_count) && !grow())
        return NULL;
    node = take_node(block);
    if (node == NULL)
        return NULL;
    link_node(node);
    node_count++;
    note_set(note, HOLDER_EDGES);
    return node;
}

/* A node that says nothing any more. */
static void put_if_bare(struct edge_node *node)
{
    struct note *note = node->owner == NULL && node->newest == NULL && node->gone == NULL ? own_note(node->block) : NULL;
    if (note == NULL)
        return;
    note_unset(note, HOLDER_EDGES);
    put(node);
}

/* ---- owning ---- */

static bool is_above(const struct edge_node *node, const struct edge_node *below)
{
    while (below != NULL && below != node)
        below = below->owner;
    return below == node;
}

static void enter_owner(struct edge_node *child, struct edge_node *owner)
{
    child->owner = owner;
    child->older = owner->newest;
    child->newer = NULL;
    if (child->older != NULL)
        child->older->newer = child;
    owner->newest = child;
    owner->count++;
    set_pinned(child->block, true);
}

static int own_locked(void *child_block, struct note *child_note, void *owner_block, struct note *owner_note)
{
    struct edge_node *child = need(child_block, child_note);
    struct edge_node *owner = child != NULL && owner_block != NULL ? need(owner_block, owner_note) : NULL;
    if (child == NULL || (owner == NULL && owner_block != NULL))
        return -ENOMEM;
    if (owner != NULL && is_above(child, owner))
        return -ELOOP;
    struct edge_node *former = child->owner;
    leave_owner(child);
    child->gone = NULL;
    if (owner != NULL)
        enter_owner(child, owner);
    else
        put_if_bare(child);
    recent = owner;
    if (former != NULL && former != owner)
        put_if_bare(former);
    return 0;
}

static int refuse(const void *object, const char *why, void *caller)
{
    own_report(&(struct own_report){.object = object, .section = "ownership misuse", .caller = caller}, "gca_own(): %%o %s",
               why);
    return -EINVAL;
}

EXPORT int gca_own(void *child, void *owner)
{
    struct note *child_note;
    struct note *owner_note = NULL;
    int result = own_need_note(child, &child_note);
    if (result == 0 && note_has(child_note, HOLDER_COUNTED) && owner != NULL)
        return refuse(child, "is counted: references hold it, not an owner", CALLER);
    if (result == -EINVAL)
        return refuse(child, "is not an object, or has ended", CALLER);
    if (result == 0 && owner != NULL)
        result = own_need_note(owner, &owner_note);
    if (result == -EINVAL)
        return refuse(owner, "is not an object, or has ended", CALLER);
    if (result != 0)
        return result;
    lock_take(&own_lock);
    result = own_locked(child, child_note, owner, owner_note);
    lock_release(&own_lock);
    return result == -ELOOP ? refuse(child, "would own itself", CALLER) : result;
}

/* ---- ends ---- */

/* What the owner had goes on the pile, and nobody owns it any more. The newest comes last: it is the first to be taken from there. */
static void push_owned(struct edge_node *owner, struct pile *pile)
{
    size_t at = pile->count + owner->count;
    if (!pile_reserve(pile, owner->count)) {
        orphan_all(owner); /* no memory: it stays */
        return;
    }
    pile->count = at;
    for (struct edge_node *older, *child = owner->newest; child != NULL; child = older) {
        older = child->older;
        child->owner = child->older = child->newer = NULL;
        set_pinned(child->block, false);
        pile->items[--at] = child->block;
        put_if_bare(child);
    }
    owner->newest = NULL;
    owner->count = 0;
}

void edges_end(void *block, struct pile *pile)
{
    lock_take(&own_lock);
    struct edge_node *node = find(block);
    if (node != NULL) {
        struct edge_node *owner = node->owner;
        leave_owner(node);
        if (pile != NULL)
            push_owned(node, pile);
        else
            orphan_all(node);
        put(node);
        if (owner != NULL)
            put_if_bare(owner);
    }
    struct note *note = own_note(block);
    if (note != NULL)
        note_unset(note, HOLDER_EDGES);
    lock_release(&own_lock);
}

void edges_moved(const void *from, void *to)
{
    lock_take(&own_lock);
    struct edge_node *node = find(from);
    if (node != NULL) {
        unlink_node(node);
        bool is_pinned = node->owner != NULL;
        if (is_pinned)
            set_pinned(node->block, false);
        node->block = to;
        if (is_pinned)
            set_pinned(node->block, true);
        link_node(node);
    }
    lock_release(&own_lock);
}

/* ---- asking ---- */

size_t edges_count(const void *owner)
{
    lock_take(&own_lock);
    struct edge_node *node = find(owner);
    size_t count = node != NULL ? node->count : 0;
    lock_release(&own_lock);
    return count;
}

static bool has_edges(const void *object)
{
    struct note *note = own_note(object);
    return note != NULL && note_has(note, HOLDER_EDGES);
}

EXPORT void *gca_owner_of(const void *child)
{
    void *owner = NULL;
    if (!has_edges(child))
        return NULL;
    lock_take(&own_lock);
    struct edge_node *node = find(child);
    if (node != NULL && node->owner != NULL)
        owner = node->owner->block;
    lock_release(&own_lock);
    return owner;
}

EXPORT size_t gca_owned_count(const void *owner)
{
    return has_edges(owner) ? edges_count(owner) : 0;
}

EXPORT void gca_owned_each(const void *owner, void (*visit)(void *child, void *context), void *context)
{
    if (!has_edges(owner))
        return;
    lock_take(&own_lock);
    struct edge_node *node = find(owner);
    for (struct edge_node *child = node != NULL ? node->newest : NULL; child != NULL; child = child->older)
        visit(child->block, context);
    lock_release(&own_lock);
}

void edges_each(void (*visit)(const struct edge_node *node, void *context), void *context)
{
    for (size_t i = 0; i < table_count; i++)
        for (struct edge_node *node = table[i]; node != NULL; node = node->next_in_bucket)
            visit(node, context);
}
