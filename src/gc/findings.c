/*
 * gc/findings: blocks that a sweep has found written after they were freed.
 *
 * Uses base, heap. Locks: that of the sweep, held by the callers.
 */
#include "gc/findings.h"

#include "base/options.h"
#include "heap/misuse.h"

static struct findings noted;

void findings_note(const struct limbo_change *change)
{
    if (noted.count < FINDINGS_MAX)
        noted.list[noted.count++] =
            (struct finding){change->block, change->size_bytes, change->offset_bytes};
}

bool findings_are_there(void)
{
    return __atomic_load_n(&noted.count, __ATOMIC_RELAXED) != 0;
}

struct findings findings_take(void)
{
    struct findings taken = noted;
    noted.count = 0;
    return taken;
}

void findings_report(const struct findings *found)
{
    bool aborts = options_now()->quarantine_report == QUARANTINE_ABORT;
    for (uint32_t i = 0; i < found->count; i++)
        misuse_write_after_free(found->list[i].block, found->list[i].size_bytes,
                                found->list[i].offset_bytes, aborts && i + 1 == found->count);
}
