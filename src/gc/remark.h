/*
 * gc/remark: marks once more from memory that was marked from before.
 *
 * Nearly all that it leads to is black already. So the white byte is looked at where the word is found, many of them at once, and
 * neither the list nor the block is touched for what is not white.
 */
#ifndef GC_REMARK_H
#define GC_REMARK_H

#include "gc/mark.h"

#include <stdint.h>

/*
 * From blocks beside each other, or a part of one: addresses that are multiples of 16. Words that lie across a border within are
 * taken for words, too. What is found is in the marker's list, or grey.
 */
void remark(struct marker *marker, uintptr_t start, uintptr_t end);

#endif
