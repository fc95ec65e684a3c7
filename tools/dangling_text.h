/* tools/dangling_text: who points to freed blocks, in words on standard output. */
#ifndef TOOLS_DANGLING_TEXT_H
#define TOOLS_DANGLING_TEXT_H

#include "tools/dangling.h"
#include "tools/place_text.h"

#include <stddef.h>

/* The block, where it was allocated and freed, and up to places_max of the pointers to it, of which there are `count`. */
void dangling_print(const struct places *places, const struct block *block, const struct dangling_pointer *pointers, size_t count,
                    size_t places_max);

#endif
