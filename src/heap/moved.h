/*
 * heap/moved: units whose pages came by os_move_pages().
 *
 * The kernel gives each piece that was moved a mapping of its own, and can't merge it with its neighbours until the range is mapped anew; a
 * process may have 65,530 mappings, its own ones included. So it is kept where the pieces lie, and how many there are.
 * The run lock is held around all but moved_count().
 */
#ifndef HEAP_MOVED_H
#define HEAP_MOVED_H

#include <stdbool.h>
#include <stddef.h>

/* A piece has come to these units, and whatever was there is gone. */
void moved_set(size_t first, size_t count);

/* The units have been mapped anew: what lay in them of pieces is none any more. */
void moved_clear(size_t first, size_t count);

/* Whether any of the units belongs to a piece. */
bool moved_any(size_t first, size_t count);

/* How many pieces there are, and so about half of the mappings that they cost. */
size_t moved_count(void);

#endif
