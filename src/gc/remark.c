/*
 * gc/remark: marks once more from memory that was marked from before.
 *
 * Uses os, heap. Locks: none.
 */
#include "gc/remark.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "gc/mark_find.h"

enum {
    PIECE_BYTES = 1024,
    PIECE_WORDS = PIECE_BYTES / 4,
    READ_AHEAD_BYTES = 2048, /* is a block to be read from there? most often */
};

/* Words that lead to candidates, and where it says whether those are white. */
struct looked_up {
    size_t count;
    uint64_t offsets[PIECE_WORDS + 1];
    const uint8_t *white[PIECE_WORDS + 1];
};

/* A large block's byte lies in its record. Returns NULL for what is no candidate. */
static ALWAYS_INLINE const uint8_t *look_up(const struct mark_view *view, uint64_t offset)
{
    uint64_t unit = view->units[offset >> UNIT_SHIFT];
    if (LIKELY(has_slots(unit)))
        return find_slot(view, unit, offset).white;
    return unit == 0 ? NULL : &((const struct white_large *)white_unit_address(unit))->white;
}

/* All are on their way into the cache before the first is looked at: waiting for them is what this costs. */
static ALWAYS_INLINE void look_up_all(struct looked_up *words, const struct mark_view *view, const char *start,
                                      const char *end, uint32_t wanted)
{
    size_t count = 0;
    for (const char *place = start; place < end; place += CACHE_LINE_BYTES, wanted = ~(uint32_t)0) {
        uint32_t lanes = lanes_of(view, place, (size_t)(end - place)) & wanted;
        __builtin_prefetch(place + READ_AHEAD_BYTES);
        for (; lanes != 0; lanes &= lanes - 1) {
            uint64_t offset = offset_at(view, place + 4 * (size_t)bit_lowest(lanes) - 4);
            if (offset >= view->heap_bytes)
                continue;
            words->offsets[count] = offset;
            words->white[count] = look_up(view, offset);
            __builtin_prefetch(words->white[count]);
            count += words->white[count] != NULL;
        }
    }
    words->count = count;
}

/* The list has room. */
static void read_piece(struct marker *marker, const char *start, const char *end, uint32_t wanted)
{
    const struct mark_view view = marker->view;
    struct worklist list = marker->list;
    struct looked_up words;
    look_up_all(&words, &view, start, end, wanted);
    for (size_t i = 0; i < words.count; i++)
        if (UNLIKELY((__atomic_load_n(words.white[i], __ATOMIC_RELAXED) & (WHITE | WHITE_LEAF)) != 0))
            list.items[list.count++].word = words.offsets[i];
    marker->list.count = list.count;
}

/* Where blocks fill their slots, or distances count, words say more than that. The first lane is nobody's upper half. */
void remark(struct marker *marker, uintptr_t start, uintptr_t end)
{
    uint32_t wanted = ~(uint32_t)1;
    bool is_plain = !marker->slots_fill && !marker->distances && marker->unreadable_count == 0;
    for (uintptr_t piece = start, piece_end; piece < end; piece = piece_end, wanted = ~(uint32_t)0) {
        piece_end = end - piece > PIECE_BYTES ? piece + PIECE_BYTES : end;
        if (!is_plain || marker->list.limit - marker->list.count < PIECE_WORDS) {
            mark_part(marker, piece == start ? piece : piece - 4, end);
            return;
        }
        marker->scanned_bytes += piece_end - piece;
        read_piece(marker, (const char *)piece, (const char *)piece_end, wanted);
    }
}
