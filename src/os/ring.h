/*
 * os/ring: the memory that a program shares with the kernel through an io_uring.
 */
#ifndef OS_RING_H
#define OS_RING_H

#include <stddef.h>
#include <stdint.h>

/* Where the parts of a ring lie in this process. */
struct os_ring {
    const uint32_t *sq_head;
    const uint32_t *sq_array; /* NULL: requests are taken in the order of their slots */
    const unsigned char *sqes;
    const uint32_t *cq_head;
    const uint32_t *cq_tail;
    const unsigned char *cqes;
    uint32_t sq_entries;
    uint32_t cq_entries;
    uint32_t sqe_bytes;
    uint32_t cqe_bytes;
};

/* What os_ring_map() has mapped. */
struct os_ring_mapping {
    void *rings;
    size_t rings_bytes;
    void *sqes;
    size_t sqes_bytes;
};

/*
 * Maps a ring that io_uring_setup(2) has just made with these parameters, beside what the program maps of it. Returns 0 or -errno;
 * -ENOTSUP for rings in the program's own memory and for kernels before 5.4.
 */
int os_ring_map(int descriptor, const void *parameters, struct os_ring *ring_out, struct os_ring_mapping *mapping_out);
void os_ring_unmap(const struct os_ring_mapping *mapping);

/* The sizes of a ring's requests and completions, by the flags it was made with. */
void os_ring_set_sizes(struct os_ring *ring, uint32_t setup_flags);

#endif
