/*
 * gc/crew: several threads that mark at once.
 *
 * Nothing is left when all who mark wait at once: a list's owner does not wait, and who has noted a unit looks through them all
 * before he does. So waiting is counted under the lock, and the last one to come finds that it is over. A thread that comes too late
 * for a call, since it got no processor, marks nothing; none is waited for but those that do.
 *
 * White bytes are read and written without locks. Two who find the same block white at once both scan it, which costs time only: a
 * byte goes from white to grey or black, from grey to black, and who wrote it scans the block or has noted its unit. The bits
 * that say what is grey (gc/paged.h) are set atomically.
 *
 * Uses os, base, heap. Locks: its own, inside those of the cycle.
 */
#include "gc/crew.h"

#include "base/compiler.h"
#include "base/lock.h"
#include "base/message.h"
#include "base/options.h"
#include "gc/area.h"
#include "gc/grey.h"
#include "gc/helper.h"
#include "gc/settings.h"
#include "heap/thread.h"
#include "os/helper.h"
#include "os/thread.h"

#include <stdatomic.h>

enum {
    ITEMS = 8 * 1024,   /* of each one's list */
    ALONE_BLOCKS = 16 * 1024, /* are marked before others are called: that takes some hundred microseconds */
    TURN_BLOCKS = 1024, /* and so many before anybody looks whether others wait */
    DRAIN_ITEMS = 1024, /* so many words wait to be followed between two parts */
    LOOKS = 200,        /* for work before one sleeps */
    PARTS_BESIDE = 2,   /* of the processors are the program's while it runs */
};

static const uint64_t ASK_NS = 1000000;
static const uint64_t GONE_LOOK_NS = 200000;

struct member {
    _Atomic int32_t thread_id; /* 0: none */
    void *memory;
    uint32_t call; /* the last one it has seen */
    struct marker marker;
    struct work items[ITEMS];
};

static struct area area; /* of the members: markers are full of addresses */
static struct member *members;
static _Atomic bool is_denied;

static struct lock lock;
static uint32_t joined;        /* who marks, the leader included */
static uint32_t most;          /* may */
static struct marker *leader;
static bool is_open;           /* others may join */
static crew_part *part_now;    /* what is to be done before; NULL: nothing */
static _Atomic uint32_t calls; /* so often they were called */
static _Atomic uint32_t news;  /* changes when those that wait are to look */
static _Atomic uint32_t left;  /* changes when somebody leaves */
static _Atomic uint32_t waiting;
static _Atomic bool is_over;   /* nothing is left */
static _Atomic bool is_called_off;
static _Atomic bool is_ending;
static _Atomic bool shares_files;

bool crew_shares_files(void)
{
    return shares_files;
}

bool crew_has(int32_t thread_id)
{
    for (size_t i = 0; members != NULL && i < CREW_MEMBERS_MAX; i++)
        if (members[i].thread_id == thread_id)
            return thread_id != 0;
    return false;
}

/* ---- at work ---- */

static void wake_waiting(void)
{
    news++;
    os_futex_wake((const uint32_t *)&news, INT32_MAX);
}

/* What others can take is there already, or is given up now. */
static void share(struct marker *marker)
{
    if (!grey_any)
        mark_share(marker);
    if (grey_any)
        wake_waiting();
}

static bool has_news(void)
{
    return is_over || is_called_off || grey_any;
}

static void wait_for_news(bool asks)
{
    for (int i = 0; i < LOOKS && !has_news(); i++)
        lock_pause();
    uint32_t seen = news;
    if (has_news())
        return;
    if (asks)
        os_futex_wait_for((const uint32_t *)&news, seen, ASK_NS);
    else
        os_futex_wait((const uint32_t *)&news, seen);
}

/* The marker has nothing left. Returns true when nobody has. */
static bool wait_for_others(struct marker *marker, bool asks)
{
    lock_take(&lock);
    bool is_last = ++waiting == joined;
    if (is_last && !grey_any)
        is_over = true;
    lock_release(&lock);
    if (is_last)
        wake_waiting();
    else
        wait_for_news(asks);
    lock_take(&lock);
    waiting--;
    bool result = is_over;
    lock_release(&lock);
    marker->has_noted = true; /* to look through all units once more */
    return result;
}

static bool must_stop(bool (*is_interrupted)(void))
{
    return is_called_off || (is_interrupted != NULL && is_interrupted());
}

static bool do_parts(struct marker *marker, unsigned who, bool (*is_interrupted)(void))
{
    while (part_now != NULL && part_now(marker, who)) {
        if (must_stop(is_interrupted))
            return false;
        if (marker->list.count > DRAIN_ITEMS)
            mark_drain_some(marker, TURN_BLOCKS);
    }
    return true;
}

/* Returns true when everything is marked, false when that was called off. */
static bool work(struct marker *marker, unsigned who, bool (*is_interrupted)(void))
{
    if (!do_parts(marker, who, is_interrupted))
        return false;
    for (;;) {
        bool is_done = mark_drain_some(marker, TURN_BLOCKS);
        if (must_stop(is_interrupted))
            return false;
        if (!is_done && waiting != 0)
            share(marker);
        if (is_done && wait_for_others(marker, is_interrupted != NULL))
            return true;
    }
}

/* ---- who joins ---- */

static bool join(struct member *member)
{
    lock_take(&lock);
    bool may = is_open && !is_over && !is_called_off && joined < most;
    if (may) {
        joined++;
        mark_join(&member->marker, leader, member->items, ITEMS);
    }
    lock_release(&lock);
    return may;
}

static void leave(struct marker *marker)
{
    mark_leave(marker);
    lock_take(&lock);
    leader->blocks += marker->blocks;
    leader->scanned_bytes += marker->scanned_bytes;
    joined--;
    left++;
    lock_release(&lock);
    os_futex_wake((const uint32_t *)&left, 1);
}

static void serve(void *context)
{
    struct member *member = context;
    heap_self = (struct thread_heap *)&thread_heap_none;
    bool is_apart = os_helper_leave_files(options_now()->gc_log != 0) == 0;
    message_borrow_output(is_apart);
    if (!is_apart)
        shares_files = true;
    while (!is_ending) {
        uint32_t now = calls;
        if (now == member->call) {
            os_futex_wait((const uint32_t *)&calls, now);
            continue;
        }
        member->call = now;
        if (join(member)) {
            work(&member->marker, (unsigned)(member - members) + 1, NULL);
            leave(&member->marker);
        }
    }
}

static int start(struct member *member)
{
    int result = helper_need_memory(&member->memory);
    if (result != 0)
        return result;
    member->call = calls;
    return os_helper_start(member->memory, serve, member, &member->thread_id);
}

/* Returns whether there are so many, or at least one. */
static bool start_all(unsigned count)
{
    unsigned running = 0;
    if (area_need(&area, CREW_MEMBERS_MAX * sizeof(struct member)) != 0)
        return false;
    members = (struct member *)(void *)area.start;
    for (size_t i = 0; i < CREW_MEMBERS_MAX && running < count; i++)
        running += members[i].thread_id != 0 || start(&members[i]) == 0;
    return running != 0;
}

/* ---- who leads ---- */

static void open_crew(struct marker *marker, unsigned size, crew_part *part)
{
    lock_take(&lock);
    leader = marker;
    part_now = part;
    joined = 1;
    most = size;
    waiting = 0;
    is_over = false;
    is_called_off = false;
    is_open = true;
    lock_release(&lock);
    calls++;
    os_futex_wake((const uint32_t *)&calls, (int)size - 1);
}

/* When this returns nobody else marks. */
static void close_crew(void)
{
    lock_take(&lock);
    is_open = false;
    is_called_off = true;
    lock_release(&lock);
    wake_waiting();
    for (;;) {
        uint32_t seen = left;
        lock_take(&lock);
        bool is_alone = joined == 1;
        lock_release(&lock);
        if (is_alone)
            return;
        os_futex_wait((const uint32_t *)&left, seen);
    }
}

static bool drain_alone(struct marker *marker, bool (*is_interrupted)(void), size_t most_blocks, bool *done_out)
{
    for (size_t i = 0; i < most_blocks; i += TURN_BLOCKS) {
        *done_out = mark_drain_some(marker, TURN_BLOCKS);
        if (is_interrupted != NULL && is_interrupted())
            return false;
        if (*done_out)
            return true;
    }
    return true;
}

static bool mark_with_others(struct marker *marker, unsigned size, crew_part *part, bool (*is_interrupted)(void))
{
    marker->is_shared = true;
    open_crew(marker, size, part);
    bool is_done = work(marker, 0, is_interrupted);
    close_crew();
    marker->is_shared = false;
    marker->has_noted = true; /* what others have left is grey */
    return is_done;
}

bool crew_drain(struct marker *marker, unsigned size, bool (*is_interrupted)(void))
{
    bool is_done = false;
    bool is_alone = size < 2 || is_denied;
    if (!drain_alone(marker, is_interrupted, is_alone ? SIZE_MAX : ALONE_BLOCKS, &is_done))
        return is_done;
    if (is_done)
        return true;
    if (!start_all(size - 1))
        return drain_alone(marker, is_interrupted, SIZE_MAX, &is_done) || is_done;
    return mark_with_others(marker, size, NULL, is_interrupted);
}

bool crew_share(struct marker *marker, unsigned size, crew_part *part, bool (*is_interrupted)(void))
{
    if (size >= 2 && !is_denied && start_all(size - 1))
        return mark_with_others(marker, size, part, is_interrupted);
    part_now = part;
    is_called_off = false;
    bool is_done = false;
    return do_parts(marker, 0, is_interrupted) && (drain_alone(marker, is_interrupted, SIZE_MAX, &is_done) || is_done);
}

/* ---- how many ---- */

static unsigned at_most(unsigned processors)
{
    uint64_t wanted = gc_settings_now()->threads;
    unsigned most_now = wanted < CREW_MEMBERS_MAX + 1 ? (unsigned)wanted : CREW_MEMBERS_MAX + 1;
    return processors < most_now ? processors : most_now;
}

unsigned crew_size_stopped(void)
{
    return at_most(os_processors());
}

unsigned crew_size_beside(void)
{
    return at_most(os_processors() / PARTS_BESIDE);
}

/* ---- the end ---- */

/* The kernel wakes those who wait for the id by another kind of futex than ours. */
static void await_end(const _Atomic int32_t *thread_id)
{
    int32_t last = 0;
    for (int32_t id; (id = *thread_id) != 0; last = id)
        os_futex_wait_for((const uint32_t *)thread_id, (uint32_t)id, GONE_LOOK_NS);
    if (last != 0)
        os_helper_await_end(last);
}

void crew_quit(void)
{
    is_ending = true;
    calls++;
    os_futex_wake((const uint32_t *)&calls, INT32_MAX);
    for (size_t i = 0; members != NULL && i < CREW_MEMBERS_MAX; i++)
        await_end(&members[i].thread_id);
    is_ending = false;
}

void crew_deny(void)
{
    is_denied = true;
}

void crew_forget(void)
{
    lock_reset(&lock);
    is_open = false;
    is_ending = false;
    for (size_t i = 0; members != NULL && i < CREW_MEMBERS_MAX; i++)
        members[i].thread_id = 0;
}
