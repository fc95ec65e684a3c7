/*
 * own/audit: counts, owners and borrows against what memory really holds.
 *
 * Objects that are counted or owned are put into a table before the threads are stopped; a scan then counts the words that lead
 * to each, and apart from that the declared fields. What conservative reading takes for a pointer and is none makes the
 * first figure too high: so only too low a figure is held against a count, and of fields, which are known, only too high a one.
 *
 * Uses base, heap, gc. Locks: own_lock; through own/scan those that it takes.
 */
#include "gcalloc/audit.h"

#include "base/compiler.h"
#include "base/format.h"
#include "base/lock.h"
#include "base/message.h"
#include "heap/metadata.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/walk.h"
#include "own/edges.h"
#include "own/export.h"
#include "own/scan.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/own.h"

#include <errno.h>

enum { FINDINGS_MAX = 1000, ROOM_MIN = 64, TEXT_BYTES = 4096 };

struct watched {
    const void *object;
    const void *owner; /* NULL when it is counted */
    uint32_t seen;
    uint32_t fields;
};

struct audit {
    struct watched *table;
    size_t room; /* a power of two */
    size_t count;
    gca_finding *findings;
    size_t found;
};

static struct lock audit_lock; /* one at a time */

/* ---- the table ---- */

static struct watched *find(const struct audit *audit, const void *object)
{
    size_t at = (size_t)(((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15u >> 32) & (audit->room - 1);
    while (audit->table[at].object != NULL && audit->table[at].object != object)
        at = (at + 1) & (audit->room - 1);
    return &audit->table[at];
}

static void watch(struct audit *audit, const void *object, const void *owner)
{
    if (audit->count >= audit->room / 2)
        return; /* made since they were counted */
    struct watched *watched = find(audit, object);
    audit->count += watched->object == NULL;
    *watched = (struct watched){.object = object, .owner = owner};
}

static bool is_counted(const void *object)
{
    struct block block;
    struct note *note = own_block(object, &block) && slot_is_noted(block.state) ? note_of(&block) : NULL;
    return note != NULL && note_has(note, HOLDER_COUNTED) && !note_has(note, HOLDER_DYING);
}

static bool count_counted(void *block, size_t size_bytes, void *context)
{
    (void)size_bytes;
    *(size_t *)context += is_counted(block);
    return true;
}

static bool watch_counted(void *block, size_t size_bytes, void *context)
{
    (void)size_bytes;
    if (is_counted(block))
        watch(context, block, NULL);
    return true;
}

static void count_owned(const struct edge_node *node, void *context)
{
    *(size_t *)context += node->owner != NULL;
}

static void add(struct audit *audit, gca_finding finding)
{
    if (audit->found < FINDINGS_MAX)
        audit->findings[audit->found] = finding;
    audit->found++;
}

static void watch_owned(const struct edge_node *node, void *context)
{
    if (node->owner != NULL)
        watch(context, node->block, node->owner->block);
    else if (node->gone != NULL)
        add(context, (gca_finding){.kind = GCA_OWNER_GONE, .object = node->block, .other = node->gone});
}

static int fill(struct audit *audit)
{
    size_t count = 0;
    heap_walk(count_counted, &count);
    lock_take(&own_lock);
    edges_each(count_owned, &count);
    lock_release(&own_lock);
    for (audit->room = ROOM_MIN; audit->room < 4 * count;)
        audit->room *= 2;
    audit->table = metadata_take(audit->room * sizeof *audit->table);
    audit->findings = metadata_take(FINDINGS_MAX * sizeof *audit->findings);
    if (audit->table == NULL || audit->findings == NULL)
        return -ENOMEM;
    heap_walk(watch_counted, audit);
    lock_take(&own_lock);
    edges_each(watch_owned, audit);
    lock_release(&own_lock);
    return 0;
}

/* ---- the scan ---- */

static bool is_declared_field(const struct scan_place *place)
{
    struct block block;
    const gca_type *type = place->where == SCAN_BLOCK && own_block(place->holder, &block) ? types_of(&block) : NULL;
    for (uint32_t i = 0; type != NULL && i < type->pointer_count; i++)
        if (type->pointers[i] == place->offset)
            return true;
    return false;
}

/* An arena was here last, and nothing is now. */
static bool was_arena(const void *address)
{
    struct block block;
    const struct unit *unit = unit_at(address);
    if (lookup_block(address, &block))
        return block.use == USE_ARENA && !slot_is_allocated(block.state);
    return unit->kind == UNIT_FREE && unit->use == USE_ARENA;
}

static void on_found(const struct scan_place *place, uintptr_t value, void *context)
{
    struct audit *audit = context;
    struct block block;
    if (lookup_block((const void *)value, &block) && block_is_allocated(&block)) {
        struct watched *watched = find(audit, (const void *)block.start);
        if (watched->object == NULL || (place->where == SCAN_BLOCK && place->holder == watched->object))
            return;
        watched->seen++;
        watched->fields += value == block.start && is_declared_field(place);
    } else if (place->where == SCAN_BLOCK && was_arena((const void *)value)) {
        add(audit, (gca_finding){.kind = GCA_INTO_DEAD_ARENA,
                                 .object = place->holder,
                                 .other = (const void *)value,
                                 .offset = place->offset});
    }
}

/* A cycle's own reference to itself is one; it was not counted among the seen. */
static uint32_t fields_to_itself(const void *object)
{
    struct block block;
    uint32_t count = 0;
    const gca_type *type = own_block(object, &block) ? types_of(&block) : NULL;
    for (uint32_t i = 0; type != NULL && i < type->pointer_count; i++)
        count += *(void *const *)((const char *)object + type->pointers[i]) == object;
    return count;
}

static void judge(struct audit *audit, const struct watched *watched)
{
    gca_finding finding = {.object = watched->object, .other = watched->owner, .seen = watched->seen};
    if (watched->owner != NULL) {
        finding.kind = GCA_UNREFERENCED_BUT_OWNED;
        if (watched->seen == 0)
            add(audit, finding);
        return;
    }
    uint32_t own = fields_to_itself(watched->object);
    finding.counted = gca_count(watched->object);
    finding.seen += own;
    if (finding.counted > finding.seen) {
        finding.kind = GCA_COUNT_ABOVE;
        add(audit, finding);
    } else if (finding.counted < watched->fields + own) {
        finding.kind = GCA_COUNT_BELOW;
        finding.seen = watched->fields + own;
        add(audit, finding);
    }
}

static void on_finish(void *context)
{
    struct audit *audit = context;
    for (size_t i = 0; i < audit->room; i++)
        if (audit->table[i].object != NULL && (audit->table[i].owner != NULL || is_counted(audit->table[i].object)))
            judge(audit, &audit->table[i]);
}

static void on_borrow(const void *object, void *context)
{
    add(context, (gca_finding){.kind = GCA_BORROW_WITHOUT_END, .object = object});
}

/* The caller has the lock. */
static int examine(struct audit *audit)
{
    int result = fill(audit);
    struct scan scan = {.found = on_found, .context = audit, .finish = on_finish};
    scan.low = heap_layout.slots_start;
    scan.high = scan.low + atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
    if (result == 0)
        result = scan_all(&scan);
    if (result == 0)
        borrow_each(on_borrow, audit);
    for (size_t i = 0; i < audit->found && i < FINDINGS_MAX && result == 0; i++)
        audit->findings[i].type = gca_type_of(audit->findings[i].object);
    metadata_put(audit->table, audit->room * sizeof *audit->table);
    return result;
}

EXPORT long gca_audit(void (*visit)(const gca_finding *finding, void *context), void *context)
{
    struct audit audit = {0};
    own_start();
    lock_take(&audit_lock);
    int result = examine(&audit);
    for (size_t i = 0; i < audit.found && i < FINDINGS_MAX && result == 0 && visit != NULL; i++)
        visit(&audit.findings[i], context);
    metadata_put(audit.findings, FINDINGS_MAX * sizeof *audit.findings);
    lock_release(&audit_lock);
    return result != 0 ? result : (long)audit.found;
}

/* ---- as text ---- */

static void describe(const gca_finding *finding, void *context)
{
    struct text *text = context;
    text_add(text, "  ");
    own_describe_object(text, finding->object);
    switch (finding->kind) {
    case GCA_UNREFERENCED_BUT_OWNED:
        text_add(text, " is unreferenced, but owned by ");
        own_describe_object(text, finding->other);
        break;
    case GCA_OWNER_GONE:
        text_add(text, " is alive, but its owner %p is gone", finding->other);
        break;
    case GCA_COUNT_ABOVE:
        text_add(text, " has %u references, but only %u can be seen", finding->counted, finding->seen);
        break;
    case GCA_COUNT_BELOW:
        text_add(text, " has %u references, but %u fields hold it", finding->counted, finding->seen);
        break;
    case GCA_INTO_DEAD_ARENA:
        text_add(text, " at offset %zu points to %p, in an arena that is gone", finding->offset, finding->other);
        break;
    case GCA_BORROW_WITHOUT_END:
        text_add(text, " is borrowed");
        break;
    }
    text_add(text, "\n");
}

EXPORT long gca_audit_report(void)
{
    char lines_buffer[TEXT_BYTES];
    char buffer[TEXT_BYTES + 64];
    struct text lines = text_in(lines_buffer, sizeof lines_buffer);
    struct text text = text_in(buffer, sizeof buffer);
    long count = gca_audit(describe, &lines);
    if (count < 0)
        text_add(&text, "gcalloc: audit: not possible, error %ld\n", -count);
    else
        text_add(&text, "gcalloc: audit: %ld finding%s\n%s", count, count == 1 ? "" : "s", lines.bytes);
    message_write(&text);
    return count;
}
