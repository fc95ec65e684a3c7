/* gcalloc.h: everything gcalloc offers to programs that link it. See gcalloc(3). */
#ifndef GCALLOC_H
#define GCALLOC_H

#include <gcalloc/arena.h>
#include <gcalloc/gc.h>
#include <gcalloc/heap.h>

#endif
