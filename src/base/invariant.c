/*
 * base/invariant: the end, when a table of ours is not as it must be.
 *
 * Uses os. Locks: none.
 */
#include "base/invariant.h"

#include "base/message.h"
#include "os/thread.h"

COLD _Noreturn void invariant_broken(const char *what, const char *file, int line)
{
    message_note("error: corrupted metadata: %s does not hold (%s:%d)\n  see gcalloc(7), \"corrupted metadata\"", what,
                 file, line);
    os_abort();
}
