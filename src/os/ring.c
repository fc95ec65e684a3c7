/*
 * os/ring: the memory that a program shares with the kernel through an io_uring.
 *
 * Locks: none.
 */
#include "os/ring.h"

#include "os/syscall.h"

#include <errno.h>
#include <stdbool.h>
#include <linux/io_uring.h>
#include <sys/mman.h>

/* Newer than the headers this may be compiled with. */
enum { SETUP_SQE128 = 1 << 10, SETUP_CQE32 = 1 << 11, SETUP_NO_MMAP = 1 << 14, SETUP_NO_SQARRAY = 1 << 16 };
enum { REQUEST_BYTES = 64, COMPLETION_BYTES = 16 };

void os_ring_set_sizes(struct os_ring *ring, uint32_t setup_flags)
{
    ring->sqe_bytes = (setup_flags & SETUP_SQE128) != 0 ? 2 * REQUEST_BYTES : REQUEST_BYTES;
    ring->cqe_bytes = (setup_flags & SETUP_CQE32) != 0 ? 2 * COMPLETION_BYTES : COMPLETION_BYTES;
}

static long map(int descriptor, size_t size_bytes, unsigned long offset)
{
    return os_syscall(SYS_mmap, 0, (long)size_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, (long)offset);
}

int os_ring_map(int descriptor, const void *parameters, struct os_ring *ring_out, struct os_ring_mapping *mapping_out)
{
    const struct io_uring_params *made = parameters;
    struct os_ring ring = {.sq_entries = made->sq_entries, .cq_entries = made->cq_entries};
    os_ring_set_sizes(&ring, made->flags);
    if ((made->flags & SETUP_NO_MMAP) != 0 || (made->features & IORING_FEAT_SINGLE_MMAP) == 0)
        return -ENOTSUP;
    bool has_array = (made->flags & SETUP_NO_SQARRAY) == 0;
    size_t sq_bytes = has_array ? made->sq_off.array + made->sq_entries * sizeof(uint32_t) : 0;
    size_t cq_bytes = made->cq_off.cqes + (size_t)made->cq_entries * ring.cqe_bytes;
    struct os_ring_mapping mapping = {
        .rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes,
        .sqes_bytes = (size_t)made->sq_entries * ring.sqe_bytes,
    };
    long rings = map(descriptor, mapping.rings_bytes, IORING_OFF_SQ_RING);
    long sqes = rings < 0 && rings > -4096 ? rings : map(descriptor, mapping.sqes_bytes, IORING_OFF_SQES);
    if (sqes < 0 && sqes > -4096) {
        if (!(rings < 0 && rings > -4096))
            os_syscall3(SYS_munmap, rings, (long)mapping.rings_bytes, 0);
        return (int)sqes;
    }
    mapping.rings = (void *)rings;
    mapping.sqes = (void *)sqes;
    const unsigned char *base = mapping.rings;
    ring.sq_head = (const uint32_t *)(const void *)(base + made->sq_off.head);
    ring.sq_array = has_array ? (const uint32_t *)(const void *)(base + made->sq_off.array) : NULL;
    ring.sqes = mapping.sqes;
    ring.cq_head = (const uint32_t *)(const void *)(base + made->cq_off.head);
    ring.cq_tail = (const uint32_t *)(const void *)(base + made->cq_off.tail);
    ring.cqes = base + made->cq_off.cqes;
    *ring_out = ring;
    *mapping_out = mapping;
    return 0;
}

void os_ring_unmap(const struct os_ring_mapping *mapping)
{
    os_syscall3(SYS_munmap, (long)mapping->rings, (long)mapping->rings_bytes, 0);
    os_syscall3(SYS_munmap, (long)mapping->sqes, (long)mapping->sqes_bytes, 0);
}
