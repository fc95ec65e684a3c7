/*
 * gc/inflight: requests that the program has handed to the kernel.
 *
 * One table for all rings, in the order of submission, with holes where requests were completed; mostly the oldest go first. A
 * completion is found by its user data, or an aio request's address. Completions that were overwritten before anybody
 * looked leave their requests in the table until the ring is idle.
 *
 * Uses os, base, heap. Locks: roots_lock(), then the metadata lock.
 */
#include "gc/inflight.h"

#include "heap/metadata.h"
#include "os/peek.h"
#include "os/output.h"
#include "os/ring.h"
#include "os/thread.h"

#include <stdbool.h>
#include <string.h>

enum { REQUEST_BYTES = 128, ROOM_MIN = 64, RINGS_MAX = 64 };

/* From linux/io_uring.h: the layout of requests and completions is fixed. */
enum { SQE_FLAGS = 1, SQE_USER_DATA = 32, SQE_SILENT = 1 << 6, CQE_FLAGS = 12, CQE_MORE = 1 << 1 };

/* From linux/aio_abi.h: a request begins with its data; an event with the data, then the request's address. */
enum { EVENT_BYTES = 32, EVENT_REQUEST = 8, IOCB_BYTES = 64 };

struct request {
    uint64_t owner; /* the ring, or aio's context; 0: a hole */
    uint64_t key;   /* what its completion will carry */
    unsigned char bytes[REQUEST_BYTES];
};

/* What is known of a ring. */
struct seen {
    uint64_t owner;
    uint32_t sq_head; /* requests before this one are in the table, or gone */
    uint32_t cq_head; /* completions before this one have been looked at */
    uint32_t sq_base; /* as both were when the ring was met */
    uint32_t cq_base;
    bool missed;      /* some completions were overwritten before anybody looked */
    bool repeats;     /* some requests complete more than once */
    int descriptor;
    int process_id; /* whose mapping it is */
    struct os_file_identity identity; /* of the descriptor */
    struct os_ring_mapping mapping;
    struct os_ring ring;
};

static struct request *requests;
static size_t first, end, room; /* the table's holes are between first and end */
static struct seen rings[RINGS_MAX];

static int make_room(void)
{
    if (end < room)
        return 0;
    size_t used = 0;
    for (size_t i = first; i < end; i++)
        used += requests[i].owner != 0;
    size_t larger_room = 2 * used < room ? room : room == 0 ? ROOM_MIN : 2 * room;
    struct request *larger = metadata_take(larger_room * sizeof *larger);
    if (larger == NULL)
        return -1;
    size_t next = 0;
    for (size_t i = first; i < end; i++)
        if (requests[i].owner != 0)
            larger[next++] = requests[i];
    metadata_put(requests, room * sizeof *requests);
    requests = larger;
    room = larger_room;
    first = 0;
    end = next;
    return 0;
}

/* Without memory it is lost from sight. */
static void add(uint64_t owner, uint64_t key, const void *bytes, size_t size_bytes)
{
    if (make_room() != 0)
        return;
    struct request *request = &requests[end++];
    memset(request, 0, sizeof *request);
    request->owner = owner;
    request->key = key;
    memcpy(request->bytes, bytes, size_bytes < REQUEST_BYTES ? size_bytes : REQUEST_BYTES);
}

static void make_hole(struct request *request)
{
    memset(request, 0, sizeof *request);
    while (first < end && requests[first].owner == 0)
        first++;
}

static bool remove_one(uint64_t owner, uint64_t key)
{
    for (size_t i = first; i < end; i++)
        if (requests[i].owner == owner && requests[i].key == key) {
            make_hole(&requests[i]);
            return true;
        }
    return false;
}

static void remove_all(uint64_t owner)
{
    for (size_t i = first; i < end; i++)
        if (requests[i].owner == owner)
            make_hole(&requests[i]);
}

/* ---- io_uring ---- */

static struct seen *find(uint64_t owner)
{
    for (size_t i = 0; i < RINGS_MAX; i++)
        if (rings[i].owner == owner)
            return &rings[i];
    return NULL;
}

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static void note_submitted(struct seen *seen, const struct os_ring *ring, uint32_t head)
{
    uint32_t mask = ring->sq_entries - 1;
    if (head - seen->sq_head > ring->sq_entries)
        seen->sq_head = head - ring->sq_entries;
    for (; seen->sq_head != head; seen->sq_head++) {
        uint32_t slot = seen->sq_head & mask;
        if (ring->sq_array != NULL)
            slot = load(&ring->sq_array[slot]) & mask;
        const unsigned char *sqe = ring->sqes + (size_t)slot * ring->sqe_bytes;
        if ((sqe[SQE_FLAGS] & SQE_SILENT) == 0) /* nobody is told of its end */
            add(seen->owner, word_at(sqe + SQE_USER_DATA), sqe, ring->sqe_bytes);
    }
}

/* A request that completes more than once says so in all but its last completion. */
static void note_completed(struct seen *seen, const struct os_ring *ring, uint32_t head, uint32_t tail)
{
    uint32_t mask = ring->cq_entries - 1;
    if (tail - seen->cq_head > ring->cq_entries) {
        seen->missed = true;
        seen->cq_head = tail - ring->cq_entries;
        if ((int32_t)(head - seen->cq_head) < 0)
            return;
    }
    for (; seen->cq_head != head; seen->cq_head++) {
        const unsigned char *cqe = ring->cqes + (size_t)(seen->cq_head & mask) * ring->cqe_bytes;
        uint32_t flags;
        memcpy(&flags, cqe + CQE_FLAGS, sizeof flags);
        if ((flags & CQE_MORE) == 0)
            remove_one(seen->owner, word_at(cqe));
        else
            seen->repeats = true;
    }
}

/* As many completions as requests, and all taken: what was missed is over, too. */
static bool is_idle(const struct seen *seen, uint32_t head, uint32_t tail)
{
    return !seen->repeats && head == tail && (int32_t)((tail - seen->cq_base) - (seen->sq_head - seen->sq_base)) >= 0;
}

static void look(struct seen *seen, const struct os_ring *ring)
{
    uint32_t head = load(ring->cq_head), tail = load(ring->cq_tail);
    note_submitted(seen, ring, load(ring->sq_head));
    note_completed(seen, ring, head, tail);
    if (seen->missed && is_idle(seen, head, tail)) {
        remove_all(seen->owner);
        seen->missed = false;
    }
}

/* A ring met for the first time: what is in it already counts as new. */
static struct seen *meet(uint64_t owner, const struct os_ring *ring)
{
    struct seen *seen = find(owner);
    if (seen != NULL || (seen = find(0)) == NULL)
        return seen;
    uint32_t head = load(ring->sq_head);
    *seen = (struct seen){.owner = owner, .ring = *ring, .cq_head = load(ring->cq_head)};
    seen->sq_head = head < ring->sq_entries ? 0 : head - ring->sq_entries;
    seen->sq_base = seen->sq_head;
    seen->cq_base = seen->cq_head;
    return seen;
}

static void forget(struct seen *seen)
{
    if (seen == NULL)
        return;
    remove_all(seen->owner);
    if (seen->process_id == os_process_id())
        os_ring_unmap(&seen->mapping);
    *seen = (struct seen){0};
}

/* The program closes descriptors without our knowing: a ring whose descriptor is another file now is gone. A child has none. */
static bool is_still(const struct seen *seen)
{
    if (seen->process_id != os_process_id())
        return false;
    struct os_file_identity now = os_identify(seen->descriptor);
    return now.device == seen->identity.device && now.inode == seen->identity.inode;
}

static struct seen *find_descriptor(int descriptor)
{
    for (size_t i = 0; i < RINGS_MAX; i++) {
        struct seen *seen = &rings[i];
        if (seen->owner == 0)
            continue;
        if (!is_still(seen))
            forget(seen);
        else if (seen->descriptor == descriptor)
            return seen;
    }
    return NULL;
}

void inflight_setup(int descriptor, const void *parameters)
{
    struct os_ring ring;
    struct os_ring_mapping mapping;
    roots_lock();
    forget(find_descriptor(descriptor));
    if (os_ring_map(descriptor, parameters, &ring, &mapping) == 0) {
        struct seen *seen = meet((uintptr_t)ring.sq_head, &ring);
        if (seen != NULL) {
            seen->descriptor = descriptor;
            seen->process_id = os_process_id();
            seen->identity = os_identify(descriptor);
            seen->mapping = mapping;
        } else {
            os_ring_unmap(&mapping);
        }
    }
    roots_unlock();
}

void inflight_entered(int descriptor)
{
    roots_lock();
    struct seen *seen = find_descriptor(descriptor);
    if (seen != NULL)
        look(seen, &seen->ring);
    roots_unlock();
}

/* ---- aio ---- */

/* A context is the address of its ring, which is no io_uring's. */
static bool can_read(const void *start, size_t size_bytes)
{
    return os_is_readable((uintptr_t)start, (uintptr_t)start + size_bytes);
}

/* The kernel has not looked at the list yet, and takes nothing from the first on that can't be read. */
void inflight_submit(uint64_t context, void *const *list, long count)
{
    roots_lock();
    for (long i = 0; i < count && can_read(&list[i], sizeof list[i]) && can_read(list[i], IOCB_BYTES); i++)
        add(context, (uintptr_t)list[i], list[i], IOCB_BYTES);
    roots_unlock();
}

void inflight_take_back(uint64_t context, void *const *list, long count)
{
    roots_lock();
    for (long i = 0; i < count && can_read(&list[i], sizeof list[i]); i++)
        remove_one(context, (uintptr_t)list[i]);
    roots_unlock();
}

void inflight_complete(uint64_t context, const void *events, long count)
{
    roots_lock();
    for (long i = 0; i < count; i++)
        remove_one(context, word_at((const unsigned char *)events + i * EVENT_BYTES + EVENT_REQUEST));
    roots_unlock();
}

void inflight_destroy(uint64_t context)
{
    roots_lock();
    remove_all(context);
    roots_unlock();
}

/* Keys are user data or the addresses of aio's requests: roots, too. */
void inflight_scan(roots_range *range, void *context)
{
    if (first < end)
        range(requests + first, requests + end, 4, context);
}
