/*
 * preload/wrap_memory: who takes access to pages of the heap away must not do so while somebody reads them, and who writes into the
 * mapping of a file is looked at for pointers again.
 */
#include "gc/background.h"
#include "gc/pristine.h"
#include "gc/quarantine.h"
#include "gc/threads.h"
#include "heap/unit.h"
#include "preload/export.h"
#include "preload/next.h"

#include <stddef.h>
#include <sys/mman.h>

/* Cycles beside the program end for good with the first such call: the next might come in the middle of a look. */
static void prepare(void *start, size_t size_bytes, int protection)
{
    pristine_forget(start, size_bytes);
    if (LIKELY(!region_is_on) || !heap_contains(start))
        return;
    quarantine_note_protection();
    if ((protection & PROT_READ) == 0 && threads_is_own_process())
        background_deny();
}

EXPORT int mprotect(void *start, size_t size_bytes, int protection)
{
    prepare(start, size_bytes, protection);
    return (int)((region_function *)next_function(NEXT_mprotect))((long)start, (long)size_bytes,
                                                                  protection, 0, 0, 0, 0);
}

EXPORT int pkey_mprotect(void *start, size_t size_bytes, int protection, int key)
{
    prepare(start, size_bytes, key > 0 ? PROT_NONE : protection);
    return (int)((region_function *)next_function(NEXT_pkey_mprotect))(
        (long)start, (long)size_bytes, protection, key, 0, 0, 0);
}
