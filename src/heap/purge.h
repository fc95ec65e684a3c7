/*
 * heap/purge: how much free memory is kept, and giving the rest back. All calls hold the run lock unless said otherwise.
 */
#ifndef HEAP_PURGE_H
#define HEAP_PURGE_H

#include <stdbool.h>
#include <stddef.h>

/* Units were taken; so many of them were clean and will fault. */
void purge_note_taken(size_t clean_count);

void purge_note_purged(size_t count);

/* So many units are kept for a second, whatever the budget says: they are about to be taken again. */
void purge_expect(size_t count);

/* True when more units are dirty than the budget allows. */
bool purge_is_due(void);

/* The number of dirty units to stop at. */
size_t purge_target(void);

/* The kernel refused: nothing is due for a while. */
void purge_note_refused(void);

/* Units that make a whole page of the kernel's: more than one where pages have 64 KiB. */
size_t purge_page_units(void);

/*
 * Returns the units' pages to the kernel; with `renew` their mapping is made anew as well. The run lock is NOT held; the
 * units are taken and whole pages. Returns false when the kernel refused, and the units are as dirty as before.
 */
bool purge_units(size_t first, size_t count, bool renew);

#endif
