/*
 * tools/dangling: who in a snapshot still points to blocks that the program has freed.
 *
 * As the quarantine's own sweep looks: through all roots, and all that is allocated, at every multiple of four bytes.
 */
#include "tools/dangling.h"

#include "gc/roots.h"
#include "heap/limbo.h"
#include "heap/span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 48 };

#define ADDRESS_MASK (((uintptr_t)1 << ADDRESS_BITS) - 1)

struct search {
    const struct block *only;
    const struct block *holder; /* that is being read; NULL: a root */
    struct dangling found;
    int result;
};

static bool is_freed(const struct block *block)
{
    return slot_is_held(block->state) || (span_is_guarded(block->span) && !slot_is_allocated(block->state));
}

bool dangling_block_at(uintptr_t address, struct block *block_out)
{
    struct block block;
    if (!lookup_block((const void *)address, &block) || !is_freed(&block))
        return false;
    *block_out = block;
    return true;
}

/* Room doubles each time that the count is one less than a power of two. */
static struct dangling_pointer *add(struct search *search)
{
    size_t count = search->found.count;
    if ((count & (count + 1)) == 0) {
        struct dangling_pointer *pointers = realloc(search->found.pointers, (2 * count + 1) * sizeof *pointers);
        if (pointers == NULL) {
            search->result = -ENOMEM;
            return NULL;
        }
        search->found.pointers = pointers;
    }
    return &search->found.pointers[search->found.count++];
}

static void note(struct search *search, const struct block *block, uintptr_t value, const void *place, size_t offset)
{
    struct dangling_pointer *pointer = add(search);
    if (pointer == NULL)
        return;
    *pointer = (struct dangling_pointer){.block = *block, .value = value, .offset = offset, .number = search->found.count};
    if (search->holder != NULL) {
        pointer->is_in_block = true;
        pointer->holder = *search->holder;
    } else {
        pointer->root = examine_place(place);
    }
}

static void scan(struct search *search, const char *bytes, size_t size_bytes, unsigned step_bytes)
{
    for (size_t offset = 0; offset + sizeof(uintptr_t) <= size_bytes && search->result == 0; offset += step_bytes) {
        uintptr_t word;
        struct block block;
        memcpy(&word, bytes + offset, sizeof word);
        word &= ADDRESS_MASK;
        if (!heap_contains((const void *)word) || !dangling_block_at(word, &block))
            continue;
        if (search->only == NULL || search->only->start == block.start)
            note(search, &block, word, bytes + offset, offset);
    }
}

static void scan_root(const void *start, const void *limit, unsigned step_bytes, void *context)
{
    scan(context, start, (size_t)((const char *)limit - (const char *)start), step_bytes);
}

static void scan_span(struct search *search, const struct span *span)
{
    for (uint32_t i = 0; i < span->slot_count; i++) {
        struct block block;
        if (!lookup_block((const void *)span_slot(span, i), &block))
            continue;
        if (is_freed(&block)) {
            search->found.freed_blocks++;
            search->found.freed_bytes += block.size_bytes;
        }
        if (!slot_is_allocated(block.state) || slot_kind(block.state) == SLOT_LEAF)
            continue;
        search->holder = &block;
        scan(search, (const char *)block.start, block.size_bytes, 4);
    }
}

static int compare(const void *first, const void *second)
{
    const struct dangling_pointer *a = first, *b = second;
    if (a->block.start != b->block.start)
        return a->block.start < b->block.start ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

int dangling_find(const struct block *only, struct dangling *dangling_out)
{
    struct search search = {.only = only};
    roots_scan(scan_root, &search);
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        scan_span(&search, span);
    if (search.result != 0) {
        dangling_free(&search.found);
        return search.result;
    }
    if (search.found.count != 0)
        qsort(search.found.pointers, search.found.count, sizeof *search.found.pointers, compare);
    *dangling_out = search.found;
    return 0;
}

void dangling_free(struct dangling *dangling)
{
    free(dangling->pointers);
    *dangling = (struct dangling){0};
}
