/*
 * gc/pristine: private mappings of files of which no page was ever the program's own.
 *
 * Code, for the most part. The kernel tells such pages from those that were written by looking at each page's record, some 100 to 200 ns each
 * when it is not in the cache, and a large program has ten thousand of them: more time than all else takes. So a mapping that was looked through and had none but the file's
 * own is remembered as long as it lies at the same place, shows the same part of the same file, and can't be written.
 *
 * Who would write there must make it writable first, and that is known: a scan in between sees it writable, and mprotect() tells pristine_forget().
 * Not known is who makes all of a mapping writable by a system call of its own, and takes that back before the next scan: see gcalloc(7).
 *
 * Locks: none. All but pristine_forget() come from scans, one at a time, all other threads stopped.
 */
#ifndef GC_PRISTINE_H
#define GC_PRISTINE_H

#include <stdbool.h>
#include <stddef.h>

struct os_map;

/* Comes first. It is then asked of each mapping whether it is known: what is not asked for, or was another, is forgotten. */
void pristine_begin_scan(void);

bool pristine_is_known(const struct os_map *map);

/* Of all pages of the mapping each that is present is the file's. */
void pristine_note(const struct os_map *map);

/* The access to these addresses is about to be changed. Any thread, at any time. */
void pristine_forget(const void *start, size_t size_bytes);

#endif
