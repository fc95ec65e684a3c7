/*
 * quarantine/border: sweeps with the newest span's record at every place up to the end of the memory that the heap's tables have so far.
 * What a sweep reads of a span's states must end where the record does: `border SIZE`.
 */
#include "support/opaque.h"
#include "support/require.h"

#include "gcalloc.h"
#include <stdlib.h>

enum { SPAN_BYTES = 16384, SPANS = 2600, FIRST_BYTES = 1023, FIRST_COUNT = 16 };

static void **kept;

static void keep(size_t size)
{
    void **block = opaque(malloc(size));
    require(block != NULL);
    *block = (void *)kept;
    kept = block;
}

int main(int count, char **arguments)
{
    require(count == 2);
    size_t size = strtoul(arguments[1], NULL, 10);
    for (int i = 0; i < FIRST_COUNT; i++)
        keep(FIRST_BYTES);
    for (int i = 0; i < SPANS; i++) {
        for (size_t j = 0; j < SPAN_BYTES / size; j++)
            keep(size - 1);
        free(opaque(malloc(size - 1)));
        gca_quarantine_sweep(); /* as far as it can */
    }
    return 0;
}
