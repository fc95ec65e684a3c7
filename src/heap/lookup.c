/*
 * heap/lookup: which block an address belongs to.
 *
 * Locks: none.
 */
#include "heap/lookup.h"

#include "heap/span.h"

bool lookup_block(const void *address, struct block *block_out)
{
    struct span *span = heap_contains(address) ? span_at(address) : NULL;
    if (span == NULL)
        return false;
    struct unit *first = &heap_layout.units[span->first_unit];
    struct block block = {.span = span, .size_bytes = span->slot_bytes};
    if (first->kind == UNIT_LARGE) {
        block.start = span->start;
        block.use = first->use;
        block.state = atomic_load_explicit(&first->large_state, memory_order_relaxed);
    } else {
        block.index = unit_slot_position(unit_at(address), address).index;
        if (block.index >= span->slot_count)
            return false;
        block.start = span_slot(span, block.index);
        block.state = slot_state_get(&span->states[block.index]);
    }
    *block_out = block;
    return true;
}

static size_t usable_of(const struct span *span)
{
    return span_is_guarded(span) ? span->guarded_bytes : block_usable_bytes(span->slot_bytes);
}

size_t block_usable(const struct block *block)
{
    return usable_of(block->span);
}

size_t lookup_usable_size(const void *pointer)
{
    uint8_t state;
    if (!heap_contains(pointer) || !lookup_start(pointer, &state))
        return 0;
    return usable_of(unit_at(pointer)->span);
}
