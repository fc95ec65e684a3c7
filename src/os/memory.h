/*
 * os/memory: address space and pages, from the kernel and back.
 *
 * Every call returns 0 or -ENOMEM; a kernel that answers anything else has been asked something wrong by us, which is
 * a panic in the caller's INVARIANT. Sizes and addresses are multiples of os_page_bytes(). Nothing here locks.
 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's page size: 4, 16 or 64 KiB. */
size_t os_page_bytes(void);

/*
 * Reserves address space that nothing can touch yet and that no core dump holds. start is a multiple of align_bytes, a
 * power of two. Returns 0, or -ENOMEM (also under RLIMIT_AS).
 */
int os_reserve(size_t size_bytes, size_t align_bytes, void **start_out);

/* Gives a reservation back whole. */
void os_unreserve(void *start, size_t size_bytes);

/*
 * Memory for working on something, apart from the heap: makes the area at *start_inout, of old_bytes (0: none yet),
 * an area of new_bytes, which may lie elsewhere. What it held stays. Returns 0 or -ENOMEM.
 */
int os_working_area(void **start_inout, size_t old_bytes, size_t new_bytes);

/* Makes part of a reservation readable and writable, zero, and part of core dumps. */
int os_commit(void *start, size_t size_bytes);

/*
 * Returns the pages to the kernel. The range stays committed and reads as zero. Returns 0, or -errno with the range as
 * it was: the program may have locked its memory.
 */
int os_purge(void *start, size_t size_bytes);

/*
 * Makes a committed range inaccessible, and accessible again. Returns 0; or -ENOMEM, when the kernel has no more mappings for us, with
 * the range as it was.
 */
int os_make_inaccessible(void *start, size_t size_bytes);
int os_make_accessible(void *start, size_t size_bytes);

/*
 * Moves the pages at `from` to `to` without copying; both are committed, what was at `to` is gone in any case, `from` reads as
 * zero afterwards. Returns 0; -ENOMEM with `from` as it was (kernels before 5.7; locked memory); or -EFAULT with `from` as it was
 * and `to` perhaps unmapped, to be renewed before anybody touches it (too many mappings; some kernels drop `to` first).
 */
int os_move_pages(void *from, void *to, size_t size_bytes);

/*
 * Replaces a committed range by a fresh one: zero, committed, and mergeable with its neighbours, which a range that
 * os_move_pages() touched is not; huge_pages as the neighbours have it. Returns 0, or -ENOMEM; the range then is as it
 * was, but kernels before 6.12 that count commits may have unmapped it.
 */
int os_renew(void *start, size_t size_bytes, bool huge_pages);

/* Asks for transparent huge pages in a committed range, or forbids them. Best effort. */
void os_set_huge_pages(void *start, size_t size_bytes, bool wanted);

/* Keeps a committed range's pages in memory until it is unmapped. Returns 0 or -errno. */
int os_lock_pages(void *start, size_t size_bytes);

/* Shows the range by this name in /proc/PID/maps where the kernel can. */
void os_name_range(void *start, size_t size_bytes, const char *name);

/*
 * Lets the calling thread read pages that the program keeps from it by protection keys (pkeys(7)), and takes that back.
 * Other threads are not affected.
 */
uint32_t os_open_protection_keys(void);
void os_restore_protection_keys(uint32_t keys);

/* The address space that RLIMIT_AS leaves this process, or SIZE_MAX. */
size_t os_address_space_left(void);

/* prlimit(2): sets and gets a limit of a process (0 is this one); either pointer may be NULL. Returns 0 or -errno. */
struct rlimit;
int os_change_limit(int process_id, int resource, const struct rlimit *limit, struct rlimit *old_out);

/* The address space this process takes now, in bytes; 0 if the kernel does not say. */
size_t os_address_space_used(void);

/*
 * Fault injection: the call with number `at` (from 1), and every call whose number is a multiple of `every`, fails
 * with -ENOMEM. 0 turns each off. Counted are commits and moves.
 */
void os_memory_fail(uint64_t at, uint64_t every);

#endif
