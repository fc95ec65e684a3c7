/*
 * os/memory: address space and pages, from the kernel and back.
 *
 * Locks: none.
 */
#include "os/memory.h"

#include "os/output.h"
#include "os/syscall.h"

#include <elf.h>
#include <errno.h>
#include <linux/prctl.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static atomic_uint_fast64_t call_count;
static uint64_t fail_at;
static uint64_t fail_every;

static bool injected_failure(void)
{
    if (fail_at == 0 && fail_every == 0)
        return false;
    uint64_t number = atomic_fetch_add_explicit(&call_count, 1, memory_order_relaxed) + 1;
    return number == fail_at || (fail_every != 0 && number % fail_every == 0);
}

void os_memory_fail(uint64_t at, uint64_t every)
{
    fail_at = at;
    fail_every = every;
}

size_t os_page_bytes(void)
{
    static size_t page_bytes;
    if (page_bytes == 0)
        page_bytes = getauxval(AT_PAGESZ);
    return page_bytes;
}

static int advise(void *start, size_t size_bytes, int advice)
{
    return (int)os_syscall3(SYS_madvise, (long)start, (long)size_bytes, advice);
}

int os_reserve(size_t size_bytes, size_t align_bytes, void **start_out)
{
    size_t wide_bytes = size_bytes + align_bytes;
    long result = os_syscall(SYS_mmap, 0, (long)wide_bytes, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (result < 0 && result > -4096)
        return -ENOMEM;
    uintptr_t start = ((uintptr_t)result + align_bytes - 1) & ~(uintptr_t)(align_bytes - 1);
    size_t before_bytes = start - (uintptr_t)result;
    size_t after_bytes = wide_bytes - before_bytes - size_bytes;
    if (before_bytes != 0)
        os_unreserve((void *)(uintptr_t)result, before_bytes);
    if (after_bytes != 0)
        os_unreserve((void *)(start + size_bytes), after_bytes);
    advise((void *)start, size_bytes, MADV_DONTDUMP);
    *start_out = (void *)start;
    return 0;
}

void os_unreserve(void *start, size_t size_bytes)
{
    os_syscall3(SYS_munmap, (long)start, (long)size_bytes, 0);
}

int os_working_area(void **start_inout, size_t old_bytes, size_t new_bytes)
{
    long result;
    if (old_bytes == 0)
        result = os_syscall(SYS_mmap, 0, (long)new_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    else
        result = os_syscall(SYS_mremap, (long)*start_inout, (long)old_bytes, (long)new_bytes,
                            MREMAP_MAYMOVE, 0, 0);
    if (result < 0 && result > -4096)
        return -ENOMEM;
    *start_inout = (void *)(uintptr_t)result;
    return 0;
}

/*
 * mprotect, not a new mapping over the old: a later userfaultfd registration of the reservation must stay. The range
 * comes back into core dumps; neighbours then have equal flags and the kernel merges them into one mapping.
 */
int os_commit(void *start, size_t size_bytes)
{
    if (injected_failure())
        return -ENOMEM;
    long result = os_syscall3(SYS_mprotect, (long)start, (long)size_bytes, PROT_READ | PROT_WRITE);
    if (result != 0)
        return -ENOMEM;
    advise(start, size_bytes, MADV_DODUMP);
    return 0;
}

int os_purge(void *start, size_t size_bytes)
{
    return advise(start, size_bytes, MADV_DONTNEED);
}

static int protect(void *start, size_t size_bytes, int protection)
{
    return os_syscall3(SYS_mprotect, (long)start, (long)size_bytes, protection) == 0 ? 0 : -ENOMEM;
}

int os_make_inaccessible(void *start, size_t size_bytes)
{
    return protect(start, size_bytes, PROT_NONE);
}

int os_make_accessible(void *start, size_t size_bytes)
{
    return protect(start, size_bytes, PROT_READ | PROT_WRITE);
}

int os_lock_pages(void *start, size_t size_bytes)
{
    return (int)os_syscall3(SYS_mlock, (long)start, (long)size_bytes, 0);
}

static bool is_mapped(const char *page, size_t page_bytes)
{
    unsigned char resident;
    return os_syscall3(SYS_mincore, (long)page, (long)page_bytes, (long)&resident) == 0;
}

static bool holds_something(const char *page, size_t page_bytes)
{
    const uint64_t *words = (const void *)page;
    for (size_t i = 0; i < page_bytes / sizeof *words; i++)
        if (words[i] != 0)
            return true;
    return false;
}

/*
 * Where the pages lie in several mappings, kernels from 6.17 on move one after the other, and may stop in between. What is there
 * already comes back; the target had nothing of its own.
 */
__attribute__((cold)) static void bring_back(char *from, const char *to, size_t size_bytes)
{
    size_t page_bytes = os_page_bytes();
    for (size_t at = 0; at < size_bytes; at += page_bytes)
        if (is_mapped(to + at, page_bytes) && holds_something(to + at, page_bytes))
            memcpy(from + at, to + at, page_bytes);
}

int os_move_pages(void *from, void *to, size_t size_bytes)
{
    static _Atomic bool is_unknown; /* to this kernel */
    if (atomic_load_explicit(&is_unknown, memory_order_relaxed) || injected_failure() || os_purge(to, size_bytes) != 0)
        return -ENOMEM;
    long result = os_syscall(SYS_mremap, (long)from, (long)size_bytes, (long)size_bytes,
                             MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, (long)to, 0);
    if (result >= 0 || result <= -4096)
        return 0;
    if (result == -EINVAL) { /* refused before anything was touched */
        atomic_store_explicit(&is_unknown, true, memory_order_relaxed);
        return -ENOMEM;
    }
    bring_back(from, to, size_bytes);
    return -EFAULT;
}

int os_renew(void *start, size_t size_bytes, bool huge_pages)
{
    long result = os_syscall(SYS_mmap, (long)start, (long)size_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (result < 0 && result > -4096)
        return -ENOMEM;
    os_set_huge_pages(start, size_bytes, huge_pages);
    return 0;
}

void os_set_huge_pages(void *start, size_t size_bytes, bool wanted)
{
    advise(start, size_bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void os_name_range(void *start, size_t size_bytes, const char *name)
{
    os_syscall(SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, (long)start, (long)size_bytes, (long)name, 0);
}

/* The first number in statm: pages. */
__attribute__((cold)) size_t os_address_space_used(void)
{
    char digits[32];
    int descriptor = os_open_read("/proc/self/statm");
    if (descriptor < 0)
        return 0;
    long length = os_read(descriptor, digits, sizeof digits);
    os_close(descriptor);
    size_t pages = 0;
    for (long i = 0; i < length && digits[i] >= '0' && digits[i] <= '9'; i++)
        pages = pages * 10 + (size_t)(digits[i] - '0');
    return pages * os_page_bytes();
}

size_t os_address_space_left(void)
{
    struct rlimit limit;
    if (os_change_limit(0, RLIMIT_AS, NULL, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    size_t used_bytes = os_address_space_used();
    return limit.rlim_cur > used_bytes ? limit.rlim_cur - used_bytes : 0;
}

int os_change_limit(int process_id, int resource, const struct rlimit *limit, struct rlimit *old_out)
{
    return (int)os_syscall(SYS_prlimit64, process_id, resource, (long)limit, (long)old_out, 0, 0);
}

#if defined(__x86_64__)

/* The kernel has made keys usable: bit 4 of leaf 7. */
static bool find_protection_keys(void)
{
    uint32_t a = 0, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (a < 7)
        return false;
    a = 7;
    c = 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c & 1 << 4;
}

/* Once: in a virtual machine the instruction takes microseconds. */
static bool has_protection_keys(void)
{
    static _Atomic int known; /* 1 no, 2 yes */
    if (atomic_load_explicit(&known, memory_order_relaxed) == 0)
        atomic_store_explicit(&known, find_protection_keys() ? 2 : 1, memory_order_relaxed);
    return atomic_load_explicit(&known, memory_order_relaxed) == 2;
}

/* As bytes: assemblers learned rdpkru and wrpkru late. */
static void set_protection_keys(uint32_t keys)
{
    __asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"(keys), "c"(0), "d"(0) : "memory");
}

uint32_t os_open_protection_keys(void)
{
    uint32_t keys = 0, d;
    if (!has_protection_keys())
        return 0;
    __asm__ volatile(".byte 0x0f, 0x01, 0xee" : "=a"(keys), "=d"(d) : "c"(0));
    if (keys != 0)
        set_protection_keys(0);
    return keys;
}

void os_restore_protection_keys(uint32_t keys)
{
    if (keys != 0)
        set_protection_keys(keys);
}

#else

uint32_t os_open_protection_keys(void)
{
    return 0;
}

void os_restore_protection_keys(uint32_t keys)
{
    (void)keys;
}

#endif
