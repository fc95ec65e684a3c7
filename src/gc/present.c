/*
 * gc/present: which pages of the heap hold something, while all is marked in one stop.
 *
 * A bit a page. A word that lies across the border to a page that holds nothing has zeros there, and is no address.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "gc/present.h"

#include "base/bits.h"
#include "base/image.h"
#include "gc/area.h"
#include "heap/unit.h"
#include "os/memory.h"
#include "os/pages.h"

#include <stdatomic.h>
#include <string.h>

enum { WORTH_BYTES = 1 << 20, ANSWER_BYTES = 64 * 1024 };

static struct area area; /* the kernel's answer, then the bits */
static const uint64_t *known;
static size_t page_count;

static size_t page_of(uintptr_t address)
{
    return (address - heap_layout.slots_start) / os_page_bytes();
}

static int ask(uint64_t *bits)
{
    struct os_pages pages;
    struct os_page_run run;
    uintptr_t start = heap_layout.slots_start;
    int result = os_pages_open(&pages, area.start, ANSWER_BYTES);
    if (result != 0)
        return result;
    os_pages_begin_anonymous(&pages, start, start + page_count * os_page_bytes());
    while ((result = os_pages_next(&pages, &run)) == 1)
        if ((run.what & OS_PAGE_ZERO) == 0)
            bitmap_fill(bits, page_of(run.start), page_of(run.end) - page_of(run.start), true);
    os_pages_close(&pages);
    return result;
}

void present_look(size_t sparse_bytes)
{
    size_t units = atomic_load_explicit(&image_now->units_used, memory_order_acquire);
    page_count = (units << UNIT_SHIFT) / os_page_bytes();
    size_t bits_bytes = words_for(page_count) * sizeof *known;
    known = NULL;
    if (sparse_bytes < WORTH_BYTES || area_need(&area, ANSWER_BYTES + bits_bytes) != 0)
        return;
    uint64_t *bits = (uint64_t *)(void *)(area.start + ANSWER_BYTES);
    memset(bits, 0, bits_bytes);
    if (ask(bits) == 0)
        known = bits;
}

void present_forget(void)
{
    known = NULL;
}

bool present_is_known(void)
{
    return known != NULL;
}

bool present_next(uintptr_t *start_inout, uintptr_t end, uintptr_t *stretch_end_out)
{
    uintptr_t start = *start_inout;
    *stretch_end_out = end;
    if (known == NULL || start >= end)
        return start < end;
    size_t limit = page_of(end - 1) + 1;
    limit = limit < page_count ? limit : page_count;
    size_t first = bitmap_find(known, page_of(start), limit, true);
    if (first >= limit)
        return false;
    uintptr_t stretch = heap_layout.slots_start + first * os_page_bytes();
    uintptr_t stretch_end =
        heap_layout.slots_start + bitmap_find(known, first, limit, false) * os_page_bytes();
    *start_inout = start > stretch ? start : stretch;
    *stretch_end_out = stretch_end < end ? stretch_end : end;
    return true;
}
