/* gcalloc.h: everything gcalloc offers to programs that link it. See gcalloc(3), gcalloc_arena(3), gcalloc_pool(3). */
#ifndef GCALLOC_H
#define GCALLOC_H

#include <gcalloc/alloc.h>
#include <gcalloc/annotate.h>
#include <gcalloc/arena.h>
#include <gcalloc/audit.h>
#include <gcalloc/gc.h>
#include <gcalloc/heap.h>
#include <gcalloc/leak.h>
#include <gcalloc/movable.h>
#include <gcalloc/own.h>
#include <gcalloc/pool.h>
#include <gcalloc/quarantine.h>
#include <gcalloc/scratch.h>
#include <gcalloc/text.h>

#endif
