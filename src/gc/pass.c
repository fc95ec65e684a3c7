/*
 * gc/pass: a pass through the heap that marks from what was written since the last one.
 *
 * Each of those who look takes a piece of the addresses, asks what was written there, all at once, and then reads that, some pages between
 * two looks at the clock: to protect pages interrupts all processors on which the process runs, so it is done for many at a time. What
 * is protected and not read when all are called off is anybody's, and the first thing that is read when it goes on.
 */
#include "gc/pass.h"

#include "base/lock.h"
#include "gc/crew.h"
#include "gc/dirty.h"
#include "gc/written.h"
#include "heap/layout.h"
#include "os/memory.h"

#include <stddef.h>

enum {
    LOOKERS = CREW_MEMBERS_MAX + 1,
    PIECE_BYTES = 4 * 1024 * 1024,
    FOUND_MAX = 1024, /* stretches in a piece: every other page, at most, and what could not be asked */
    SLICE_PAGES = 32,
};

/* Offsets in the heap: addresses would look like somebody's. */
struct stretch {
    size_t start, end;
};

/* What one of them has found. */
struct found {
    _Alignas(64) size_t next, count;
    bool is_left;   /* anybody's, under the lock; else that one's */
    uint64_t pages; /* in this pass */
};

static struct lock lock;
static struct stretch rest; /* that nobody has looked at */
static struct found found[LOOKERS];
static struct stretch lists[LOOKERS][FOUND_MAX];
static size_t left_count; /* of those who have left something */
static bool is_open;
static const struct pass_way *way_now;
static bool was_meanwhile;

/* ---- what each does ---- */

static void note_found(uintptr_t start, uintptr_t end, void *context)
{
    struct found *own = context;
    dirty_note(start, end);
    own->pages += (end - start) / os_page_bytes();
    lists[own - found][own->count++] = (struct stretch){start - heap_layout.slots_start, end - heap_layout.slots_start};
}

static bool take_piece(struct stretch *piece_out)
{
    lock_take(&lock);
    size_t end = rest.end - rest.start > PIECE_BYTES ? rest.start + PIECE_BYTES : rest.end;
    *piece_out = (struct stretch){rest.start, end};
    rest.start = end;
    lock_release(&lock);
    return piece_out->start < piece_out->end;
}

static bool ask(struct found *own)
{
    unsigned who = (unsigned)(own - found);
    struct stretch piece;
    if (!written_may_look(who) || !take_piece(&piece))
        return false;
    uintptr_t start = heap_layout.slots_start;
    own->next = own->count = 0;
    if (way_now->is_last)
        written_look(who, start + piece.start, start + piece.end, note_found, own);
    else
        written_renew(who, start + piece.start, start + piece.end, note_found, own);
    return true;
}

/* Some pages of what is found. */
static struct stretch slice(struct found *from)
{
    struct stretch *stretch = &lists[from - found][from->next];
    struct stretch pages = *stretch;
    size_t most = SLICE_PAGES * os_page_bytes();
    if (pages.end - pages.start > most)
        pages.end = stretch->start = pages.start + most;
    else
        from->next++;
    return pages;
}

static bool take_left(struct stretch *pages_out)
{
    bool is_taken = false;
    lock_take(&lock);
    for (size_t i = 0; i < LOOKERS && left_count != 0 && !is_taken; i++) {
        if (!found[i].is_left)
            continue;
        *pages_out = slice(&found[i]);
        is_taken = true;
        found[i].is_left = found[i].next < found[i].count;
        left_count -= !found[i].is_left;
    }
    lock_release(&lock);
    return is_taken;
}

static void read(struct marker *marker, struct stretch pages)
{
    uintptr_t start = heap_layout.slots_start;
    if (way_now->is_stopped)
        dirty_mark_stopped(marker, start + pages.start, start + pages.end);
    else
        dirty_mark(marker, start + pages.start, start + pages.end);
}

static bool look(struct marker *marker, unsigned who)
{
    struct found *own = &found[who];
    struct stretch pages;
    if (who == 0 && !was_meanwhile) {
        was_meanwhile = true;
        way_now->meanwhile(marker);
        return true;
    }
    if (take_left(&pages))
        read(marker, pages);
    else if (own->next < own->count)
        read(marker, slice(own));
    else
        return ask(own);
    return true;
}

/* ---- who leads ---- */

void pass_forget(void)
{
    if (is_open)
        written_forget();
    for (size_t i = 0; i < LOOKERS; i++)
        found[i] = (struct found){0};
    left_count = 0;
    is_open = false;
}

int pass_begin(bool is_last)
{
    uintptr_t start, end;
    int result = written_begin(!is_last, &start, &end);
    rest = (struct stretch){start - heap_layout.slots_start, end - heap_layout.slots_start};
    for (size_t i = 0; i < LOOKERS; i++)
        found[i].pages = 0;
    is_open = result == 0;
    return result;
}

bool pass_is_open(void)
{
    return is_open;
}

/* Nobody else looks. */
static void leave(void)
{
    left_count = 0;
    for (size_t i = 0; i < LOOKERS; i++) {
        found[i].is_left = found[i].next < found[i].count;
        left_count += found[i].is_left;
    }
}

int pass_go_on(struct marker *marker, const struct pass_way *way)
{
    int result = written_go_on(heap_layout.slots_start + rest.end);
    if (result != 0)
        return result;
    way_now = way;
    was_meanwhile = way->meanwhile == NULL;
    bool is_drained = crew_share(marker, way->threads, look, way->is_interrupted);
    leave();
    bool is_read = left_count == 0 && rest.start >= rest.end;
    is_open = !is_read && !way->is_last;
    return is_read && is_drained;
}

uint64_t pass_pages(void)
{
    uint64_t pages = 0;
    for (size_t i = 0; i < LOOKERS; i++)
        pages += found[i].pages;
    return pages;
}
