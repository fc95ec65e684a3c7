/*
 * preload/wrap_memory: who takes access to pages of the heap away must not do so while a sweep reads them.
 */
#include "gc/quarantine.h"
#include "heap/unit.h"
#include "preload/export.h"
#include "preload/next.h"

#include <stddef.h>
#include <sys/mman.h>

static void prepare(void *start)
{
    if (UNLIKELY(region_is_on) && heap_contains(start))
        quarantine_note_protection();
}

EXPORT int mprotect(void *start, size_t size_bytes, int protection)
{
    prepare(start);
    return (int)((region_function *)next_function(NEXT_mprotect))((long)start, (long)size_bytes,
                                                                  protection, 0, 0, 0, 0);
}

EXPORT int pkey_mprotect(void *start, size_t size_bytes, int protection, int key)
{
    prepare(start);
    return (int)((region_function *)next_function(NEXT_pkey_mprotect))(
        (long)start, (long)size_bytes, protection, key, 0, 0, 0);
}
