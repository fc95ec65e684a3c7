/* heap/verify: each invariant is broken on purpose, one at a time; it is named, and mending it makes the heap sound. */
#include "heap/verify.h"
#include "base/bits.h"
#include "heap/layout.h"
#include "heap/lookup.h"
#include "heap/remote.h"
#include "heap/span.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <string.h>

enum { BLOCKS = 3000, SLOT_BYTES = 64 };

static void *blocks[BLOCKS];
static struct span *span; /* of SLOT_BYTES, with slots of each kind */
static void *large;       /* a block of several granules */
static struct buffer *buffer;

static void free_some(int index, void *context)
{
    (void)index;
    (void)context;
    for (int i = 1; i < BLOCKS / 4; i += 2) {
        heap_free(blocks[i]);
        blocks[i] = NULL;
    }
}

/* A heap with everything in it: part-used spans, blocks in buffers and in inboxes, large ones, a parked heap. */
static void make_heap(void)
{
    struct random random = {1};
    struct block block;
    start_heap();
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = allocate(i % 2 ? SLOT_BYTES : random_size(&random, 200000));
    void *freed = allocate((KEPT_UNITS_MAX + 1) * UNIT_BYTES);
    large = allocate(5 << 20);
    heap_free(freed);
    threads_run_one(free_some, NULL);
    for (int i = BLOCKS / 4 + 1; i < BLOCKS; i += 4)
        heap_free(blocks[i]);
    buffer = &heap_self->buffers[class_of(SLOT_BYTES)];
    ck_assert_ptr_ne(buffer->top, buffer->base);
    span = heap_self->listed[class_of(SLOT_BYTES)];
    ck_assert_ptr_nonnull(span);
    ck_assert_uint_ge(span->free_count, 1);
    ck_assert_uint_lt(span->free_count, span->slot_count);
    ck_assert(lookup_block(large, &block));
    expect_sound_heap();
}

static void expect_found(const char *expected)
{
    const char *found = heap_verify(true);
    ck_assert_msg(found != NULL, "not found: %s", expected);
    ck_assert_str_eq(found, expected);
}

/* Puts other bytes there, expects that they are found, and puts the old ones back. */
static void expect_broken(void *place, const void *other, size_t size_bytes, const char *expected)
{
    char saved[16];
    ck_assert_uint_le(size_bytes, sizeof saved);
    memcpy(saved, place, size_bytes);
    ck_assert_int_ne(memcmp(saved, other, size_bytes), 0);
    memcpy(place, other, size_bytes);
    expect_found(expected);
    memcpy(place, saved, size_bytes);
    expect_sound_heap();
}

static void expect_broken_word(void *place, uint64_t other, const char *expected)
{
    expect_broken(place, &other, sizeof other, expected);
}

static void expect_broken_byte(void *place, uint8_t other, const char *expected)
{
    expect_broken(place, &other, sizeof other, expected);
}

static size_t find_slot(bool offered, bool allocated)
{
    for (size_t i = 0; i < span->slot_count; i++)
        if (bitmap_get(span->free, i) == offered && (span->states[i] & 1) == allocated)
            return i;
    ck_abort_msg("the span has no such slot");
}

START_TEST(slots)
{
    size_t offered = find_slot(true, false), used = find_slot(false, true);
    uint64_t *words = span->free;
    expect_broken_byte(&span->states[used], slot_state_of(SLOT_FREE, 1), "a free slot has a birth");
    expect_broken_byte(&span->states[offered], SLOT_ALLOCATED, "a span offers an allocated slot");
    expect_broken_byte(&span->states[used], SLOT_FREE, "a free slot is nowhere");
    expect_broken_word(&words[used / 64], words[used / 64] | (uint64_t)1 << used % 64,
                       "a span offers an allocated slot");
    expect_broken_word(&words[offered / 64], words[offered / 64] & ~((uint64_t)1 << offered % 64),
                       "a span's count of free slots is wrong");
    uint32_t other = span->free_count + 1;
    expect_broken(&span->free_count, &other, sizeof other, "a span's count of free slots is wrong");
    other = (uint32_t)words_for(span->slot_count);
    expect_broken(&span->first_free_word, &other, sizeof other,
                  "a span offers a slot below its first free word");
}
END_TEST

/* A class whose slots do not fill the last word of bits. */
START_TEST(slots_that_do_not_exist)
{
    uint32_t class_index = class_of(48);
    struct block block;
    void *first = allocate(48);
    ck_assert(lookup_block(first, &block));
    uint64_t *words = block.span->free;
    size_t slot_count = class_unit_count[class_index] * (size_t)UNIT_BYTES / 48;
    ck_assert_uint_ne(slot_count % 64, 0);
    expect_broken_word(&words[slot_count / 64], words[slot_count / 64] | (uint64_t)1 << 63,
                       "a span offers a slot it does not have");
}
END_TEST

START_TEST(spans_and_their_units)
{
    static const char *const differs = "a unit's descriptor differs from its span";
    struct unit *unit = &heap_layout.units[span->first_unit];
    expect_broken_word(&span->slot_bytes, SLOT_BYTES * 2, "a span's slot size is not its class's");
    expect_broken_byte(&span->class_index, (uint8_t)(span->class_index + 1),
                       "a span's slot size is not its class's");
    expect_broken_word(&span->owner, 0, "a span has no owner");
    expect_broken_word(&unit->states, (uintptr_t)unit->states + 1, differs);
    expect_broken_word(&unit->start, unit->start + 16, differs);
    expect_broken_word(&unit->owner, 0, differs);
    expect_broken_byte(&unit->kind, UNIT_FREE, differs);
    expect_broken_byte(&span->listed, 0, "a span with free slots is not listed");
    uint64_t *word = &layout_unit_maps()->free[span->first_unit / 64];
    ck_assert_uint_ge(span->first_unit, 1);
    uint64_t saved = *word;
    *word |= (uint64_t)1 << span->first_unit % 64;
    ck_assert_ptr_nonnull(heap_verify(true));
    *word = saved;
    expect_sound_heap();
}
END_TEST

START_TEST(runs)
{
    uint64_t *dirty = layout_unit_maps()->dirty, *is_free = layout_unit_maps()->free;
    size_t unit = 0, used = atomic_load(&gca_image->units_used);
    while (unit < used && !(bitmap_get(is_free, unit) && bitmap_get(dirty, unit)))
        unit++;
    ck_assert_uint_lt(unit, used);
    expect_broken_word(&gca_image->units_taken, units_taken() + 1,
                       "the number of taken units is wrong");
    expect_broken_word(&gca_image->units_dirty, units_dirty() + 1,
                       "the number of dirty units is wrong");
    expect_broken_word(&dirty[unit / 64], dirty[unit / 64] & ~((uint64_t)1 << unit % 64),
                       "the number of dirty units is wrong");
    expect_broken_word(&is_free[unit / 64], is_free[unit / 64] & ~((uint64_t)1 << unit % 64),
                       "the number of taken units is wrong");
    expect_broken_byte(&heap_layout.units[unit].kind, UNIT_SPAN, "a free unit has a span");
}
END_TEST

START_TEST(large_blocks)
{
    struct block block;
    ck_assert(lookup_block(large, &block));
    struct span *record = block.span;
    size_t border = round_up(record->first_unit + 1, GRANULE_UNITS);
    ck_assert_uint_lt(border, record->first_unit + record->unit_count);
    expect_broken_word(&record->start, record->start + UNIT_BYTES,
                       "a large block's extent is wrong");
    expect_broken_word(&record->slot_bytes, record->slot_bytes - 1,
                       "a large block's extent is wrong");
    expect_broken_word(&heap_layout.units[border].span, (uintptr_t)span,
                       "a large block's unit leads elsewhere");
    expect_broken_byte(&heap_layout.units[border].kind, UNIT_FREE,
                       "a large block's unit leads elsewhere");
    expect_broken_word(&heap_layout.units[record->first_unit + 1].span, (uintptr_t)span,
                       "a large block's unit leads elsewhere");
}
END_TEST

START_TEST(lists)
{
    static const char *const broken = "a heap's list is broken";
    struct span *other = heap_self->listed[class_of(16)];
    ck_assert_ptr_nonnull(other);
    expect_broken_word(&span->next, 0, broken);
    expect_broken_word(&span->next->previous, 0, broken);
    expect_broken_word(&span->next, (uintptr_t)other, broken);
    expect_broken_word(&heap_self->listed[class_of(SLOT_BYTES)], (uintptr_t)other,
                       "a heap's list holds a span that is not its own");
    expect_broken_word(&heap_self->listed[class_of(SLOT_BYTES)], 0,
                       "a span says that it is listed, but no list leads to it");
}
END_TEST

START_TEST(kept_blocks)
{
    enum { UNITS = 3 };
    static const char *const wrong_count = "a heap's count of kept units is wrong", *const wrong_list = "a kept block is in the wrong list";
    struct thread_heap *heap = heap_self;
    char *first = allocate(UNITS * UNIT_BYTES), *second = allocate(UNITS * UNIT_BYTES);
    heap_free(first);
    heap_free(second);
    struct unit *unit = heap->kept[UNITS];
    ck_assert_ptr_eq(unit, unit_at(second));
    ck_assert_ptr_eq(unit->next_kept, unit_at(first));
    uint32_t other_units = heap->kept_units + 1;
    expect_sound_heap();
    expect_broken_byte(&unit->large_state, SLOT_ALLOCATED, "a kept block is not free");
    expect_broken_byte(&unit->large_state, SLOT_FREE | SLOT_NOTED, "a kept block is not free");
    expect_broken_byte(&unit->keepable_units, UNITS + 1, wrong_list);
    expect_broken_word(&heap->kept[UNITS], (uintptr_t)(unit + 1), wrong_list);
    expect_broken_word(&heap->kept_counts, heap->kept_counts ^ 1 << UNITS, "a heap's bit for kept blocks is wrong");
    expect_broken(&heap->kept_units, &other_units, sizeof other_units, wrong_count);
    expect_broken_word(&unit->next_kept, 0, wrong_count);
    expect_broken_word(&unit->next_kept, (uintptr_t)unit, wrong_count); /* a ring */
}
END_TEST

START_TEST(buffers)
{
    struct entry *entry = buffer->top - 1;
    size_t offered = find_slot(true, false), used = find_slot(false, true);
    struct entry of_offered = {(void *)span_slot(span, offered), span->states + offered};
    struct entry of_used = {(void *)span_slot(span, used), span->states + used};
    expect_broken(entry, &of_offered, sizeof of_offered,
                  "a buffer holds a slot that its span offers");
    expect_broken(entry, &of_used, sizeof of_used, "a buffer holds an allocated slot");
    expect_broken_word(&entry->slot, (uintptr_t)large,
                       "a buffer holds a slot of another heap or class");
    expect_broken_word(&entry->state, (uintptr_t)entry->state ^ 1,
                       "a buffer holds an allocated slot");
    expect_broken_word(&buffer->top, (uintptr_t)(buffer->limit + 1),
                       "a buffer's top is outside it");
    expect_broken_word(&buffer->top, (uintptr_t)(buffer->base - 1), "a buffer's top is outside it");
    expect_broken_word(&buffer->top, (uintptr_t)(buffer->top - 1), "a free slot is nowhere");
}
END_TEST

/* The first batch in the inbox is the last that was sent, and not full. */
START_TEST(batches)
{
    struct batch *batch = atomic_load(&heap_self->inbox);
    ck_assert_ptr_nonnull(batch);
    ck_assert_uint_ge(batch->count, 2);
    size_t offered = find_slot(true, false), used = find_slot(false, true);
    uint64_t *slot = (uint64_t *)&batch->slots[0];
    expect_broken_word(slot, span_slot(span, offered), "a batch holds a slot that its span offers");
    expect_broken_word(slot, span_slot(span, used), "a batch holds an allocated slot");
    expect_broken_word(slot, *slot + 1, "a batch holds what is no slot");
    expect_broken_word(slot, 0, "a batch holds what is no slot");
    expect_broken_word(slot, (uintptr_t)large, "a batch holds what is no slot");
    uint32_t more = BATCH_SLOTS + 1, fewer = batch->count - 1;
    expect_broken(&batch->count, &more, sizeof more, "a batch holds more than it has room for");
    expect_broken(&batch->count, &fewer, sizeof fewer, "a free slot is nowhere");
    expect_broken_word(&heap_self->inbox, 0, "a free slot is nowhere");
}
END_TEST

/* The same slot once in a buffer and once on its way would have two owners one day. */
START_TEST(a_slot_in_two_places)
{
    struct batch *batch = atomic_load(&heap_self->inbox);
    ck_assert_uint_lt(batch->count, BATCH_SLOTS);
    uint32_t more = batch->count + 1;
    batch->slots[batch->count] = buffer->top[-1].slot;
    expect_broken(&batch->count, &more, sizeof more, "a free slot waits in two places");
}
END_TEST

static TCase *verify(void)
{
    TCase *tests = tcase_create("verify");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_heap, NULL);
    tcase_add_test(tests, slots);
    tcase_add_test(tests, slots_that_do_not_exist);
    tcase_add_test(tests, spans_and_their_units);
    tcase_add_test(tests, runs);
    tcase_add_test(tests, large_blocks);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, kept_blocks);
    tcase_add_test(tests, buffers);
    tcase_add_test(tests, batches);
    tcase_add_test(tests, a_slot_in_two_places);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {verify};
    return suite_run("heap/verify", makers, 1);
}
