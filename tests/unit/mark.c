/*
 * gc/mark, gc/old, gc/white and gc/sweep: random graphs against a model; every kind of word that holds a block; a worklist that
 * is too small; what a sweep gives back.
 */
#include "gc/mark.h"
#include "base/bits.h"
#include "gc/old.h"
#include "gc/present.h"
#include "gc/sweep.h"
#include "gc/white.h"
#include "heap/birth.h"
#include "heap/fork.h"
#include "heap/span.h"
#include "os/memory.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 3000, EDGES_MAX = 6, ITEMS = 4096 };

static struct marker marker;
static struct work items[ITEMS];

static void start_marking(size_t limit)
{
    struct white_rule rule;
    white_rule_full(&rule, 1);
    ck_assert_int_eq(white_start(&rule), 0);
    mark_start(&marker, items, limit);
}

static uint8_t white_at(const void *block)
{
    struct unit *unit = unit_at(block);
    if (unit->kind == UNIT_LARGE)
        return *white_of(unit->span);
    return *white_of(unit_slot_state(unit, block));
}

static bool is_marked(const void *block)
{
    return white_at(block) == BLACK;
}

/* ---- words ---- */

/* A block between two neighbours that stay allocated, in a class of its own. */
static char *lone_block(size_t size_bytes)
{
    char *blocks[3];
    for (int i = 0; i < 3; i++)
        blocks[i] = memset(allocate(size_bytes), 0, size_bytes);
    return blocks[1];
}

static bool word_marks(uintptr_t word, const void *block)
{
    start_marking(ITEMS);
    mark_word(&marker, word);
    mark_drain(&marker);
    return is_marked(block);
}

static const size_t sizes[] = {1, 16, 24, 48, 64, 200, 1000, 1024, 4096, 10000, 16384, 16385, 65536, 3000000};

START_TEST(every_address_of_a_block_holds_it)
{
    char *block = lone_block(sizes[_i]);
    size_t bytes = unit_at(block)->slot_bytes;
    size_t step = 61 + bytes / 1024; /* each look reads the whole block */
    for (size_t offset = 0; offset < bytes;) {
        hot_assert(word_marks((uintptr_t)block + offset, block), "an inner address holds the block");
        size_t left = bytes - offset;
        offset += offset < 64 || left <= 64 ? 1 : left - 64 < step ? left - 64 : step;
    }
    ck_assert(word_marks((uintptr_t)block + bytes, block));
    ck_assert(!word_marks((uintptr_t)block + bytes + 1, block));
    ck_assert(!word_marks((uintptr_t)block - 1, block));
}
END_TEST

START_TEST(tags_in_the_top_bits_do_not_matter)
{
    char *block = lone_block(sizes[_i]);
    for (uintptr_t tag = 1; tag < 65536; tag = tag * 3 + 1)
        hot_assert(word_marks(((uintptr_t)block + 8) | tag << 48, block), "a tagged word holds the block");
    hot_assert(!word_marks((uintptr_t)block ^ (uintptr_t)1 << 47, block), "another address does not");
}
END_TEST

/* At every multiple of four in a block, except where the word's end is not the block's. */
START_TEST(words_in_blocks_count_at_every_multiple_of_four)
{
    char *block = lone_block(48);
    char *from = lone_block(sizes[_i]);
    size_t bytes = unit_at(from)->slot_bytes;
    for (size_t offset = 0; offset + 8 <= bytes; offset += offset < 200 || bytes - offset < 200 ? 4 : 4092) {
        memset(from, 0, bytes);
        char *word = block + 7;
        memcpy(from + offset, &word, sizeof word);
        hot_assert(word_marks((uintptr_t)from, block), "a word in a block holds another");
    }
}
END_TEST

START_TEST(ranges_are_read_at_the_step_asked_for)
{
    char *block = lone_block(48);
    _Alignas(16) char range[400];
    for (unsigned offset = 0; offset <= sizeof range - 8; offset++) {
        for (unsigned step = 1; step <= 8; step *= step == 1 ? 4 : 2) {
            memset(range, 0, sizeof range);
            memcpy(range + offset, &block, sizeof block);
            start_marking(ITEMS);
            mark_range(&marker, range, range + sizeof range, step);
            mark_drain(&marker);
            hot_assert(is_marked(block) == (offset % step == 0), "steps");
        }
    }
}
END_TEST

/* The slot behind is free, so the word can only mean the end of the block before; in a block, too. */
START_TEST(one_past_the_end_counts_in_blocks_where_nothing_follows)
{
    char *first = allocate(64);
    char *second = allocate(64);
    char **holder = allocate(96);
    memset(holder, 0, 96);
    holder[3] = second;
    ck_assert_ptr_eq(second, first + 64);
    ck_assert(!word_marks((uintptr_t)holder, first));
    ck_assert(word_marks((uintptr_t)holder, second));
    heap_free(second);
    ck_assert(word_marks((uintptr_t)holder, first));
}
END_TEST

START_TEST(the_last_slot_of_a_span_has_an_end_too)
{
    size_t size_bytes = (size_t)_i * 16 + 16;
    uint32_t class_index = class_of(size_bytes);
    size_t count = class_unit_count[class_index] * UNIT_BYTES / class_slot_bytes[class_index];
    char *last = NULL;
    for (size_t i = 0; i < count * 3; i++) {
        char *block = allocate(size_bytes);
        struct unit *unit = unit_at(block);
        if (unit_slot_position(unit, block).index == unit->span->slot_count - 1)
            last = block;
    }
    ck_assert_ptr_nonnull(last);
    ck_assert(word_marks((uintptr_t)last + class_slot_bytes[class_index], last));
}
END_TEST

START_TEST(leaves_are_marked_and_not_scanned)
{
    char *block = lone_block(48);
    char **leaf = heap_allocate_leaf(48);
    leaf[0] = block;
    ck_assert(!word_marks((uintptr_t)leaf, block));
    ck_assert(word_marks((uintptr_t)leaf, leaf));
}
END_TEST

START_TEST(memory_that_must_not_be_read_is_not)
{
    char *block = lone_block(48);
    char *from = memset(allocate(200000), 0, 200000);
    char *page = (char *)round_up((uintptr_t)from, 65536);
    memcpy(page + 65536, &block, sizeof block);
    ck_assert_int_eq(mprotect(page, 65536, PROT_NONE), 0);
    struct roots_part part = {(uintptr_t)page, (uintptr_t)page + 65536};
    start_marking(ITEMS);
    marker.unreadable = &part;
    marker.unreadable_count = 1;
    mark_word(&marker, (uintptr_t)from);
    mark_drain(&marker);
    ck_assert(is_marked(block));
    mprotect(page, 65536, PROT_READ | PROT_WRITE);
}
END_TEST

/* ---- pages that hold nothing ---- */

/* The cycle before the one that counts; with it blocks grow old. */
static void grow_old(void)
{
    struct white_rule rule;
    white_rule_full(&rule, 1);
    ck_assert_int_eq(white_start(&rule), 0);
    heap_birth_set(1);
}

static size_t pages_held(const char *start, size_t size_bytes)
{
    unsigned char held[1024];
    size_t page_bytes = os_page_bytes(), pages = size_bytes / page_bytes, count = 0;
    ck_assert_uint_le(pages, sizeof held);
    ck_assert_int_eq(mincore((void *)start, pages * page_bytes, held), 0);
    for (size_t i = 0; i < pages; i++)
        count += held[i] & 1;
    return count;
}

/* Each word is on a page of its own, the last one across the border of two. */
static void write_sparsely(char *start, size_t size_bytes, char *const *words)
{
    memcpy(start, &words[0], sizeof *words);
    memcpy(start + size_bytes / 2 + 12, &words[1], sizeof *words);
    memcpy(start + size_bytes - os_page_bytes() - 4, &words[2], sizeof *words);
}

/* Blocks that were never used before: what is written to them is all they have. With `old` they are read by gc/old. */
static void mark_sparse(char *const *sparse, size_t count, bool old)
{
    struct white_rule rule;
    if (old)
        white_rule_young(&rule, 1, 2);
    else
        white_rule_full(&rule, 1);
    ck_assert_int_eq(white_start(&rule), 0);
    present_look(white_sparse_bytes);
    ck_assert(present_is_known());
    mark_start(&marker, items, ITEMS);
    for (size_t i = 0; i < count && !old; i++)
        mark_word(&marker, (uintptr_t)sparse[i]);
    if (old)
        old_mark(&marker, 1);
    mark_drain(&marker);
    present_forget();
}

START_TEST(pages_that_hold_nothing_stay_as_they_are)
{
    enum { SPARSE = 80, LARGE_BYTES = 2000000, SLOT_BYTES = 14000, WORDS = 3 };
    bool old = _i != 0;
    char *sparse[SPARSE], *words[SPARSE][WORDS], *lost;
    size_t held[SPARSE], bytes[SPARSE];
    class_rule.bias = 0;
    start_heap();
    for (int i = 0; i < SPARSE; i++)
        sparse[i] = allocate(i % 8 == 0 ? LARGE_BYTES : SLOT_BYTES);
    if (old)
        grow_old();
    for (int i = 0; i < SPARSE; i++)
        for (int word = 0; word < WORDS; word++)
            memset(words[i][word] = allocate(48), 0, 48);
    memset(lost = allocate(48), 0, 48);
    for (int i = 0; i < SPARSE; i++) {
        bytes[i] = unit_at(sparse[i])->slot_bytes;
        write_sparsely(sparse[i], bytes[i], words[i]);
        held[i] = pages_held((char *)round_up((uintptr_t)sparse[i], os_page_bytes()), bytes[i] - os_page_bytes());
    }
    mark_sparse(sparse, SPARSE, old);
    for (int i = 0; i < SPARSE; i++) {
        ck_assert_uint_eq(held[i], pages_held((char *)round_up((uintptr_t)sparse[i], os_page_bytes()), bytes[i] - os_page_bytes()));
        ck_assert(is_marked(words[i][0]) && is_marked(words[i][1]) && is_marked(words[i][2]));
    }
    ck_assert_uint_lt(pages_held(sparse[0], LARGE_BYTES), 16);
    ck_assert(!is_marked(lost));
}
END_TEST

/* ---- graphs ---- */

struct graph {
    char *blocks[BLOCKS];
    size_t size_bytes[BLOCKS];
    bool leaf[BLOCKS];
    int edges[BLOCKS][EDGES_MAX];
    int edge_count[BLOCKS];
    bool reached[BLOCKS];
};

static struct graph graph;

/* Somewhere in the block but never exactly at its start, which might be the end of another. */
static uintptr_t word_for(struct random *random, int target)
{
    uintptr_t tag = random_below(random, 3) == 0 ? random_below(random, 65536) << 48 : 0;
    return ((uintptr_t)graph.blocks[target] + 1 + random_below(random, graph.size_bytes[target] - 1)) | tag;
}

static size_t block_bytes_for(struct random *random)
{
    switch (random_below(random, 20)) {
    case 0:
        return 16 + random_below(random, 300000);
    case 1:
    case 2:
        return 16 + random_below(random, 16000);
    default:
        return 16 + random_below(random, 400);
    }
}

static void link_block(struct random *random, int from)
{
    size_t bytes = graph.size_bytes[from];
    size_t places = bytes / 12; /* so that words do not overlap */
    for (int i = 0; i < EDGES_MAX && (size_t)i < places; i++) {
        int target = (int)random_below(random, BLOCKS);
        if (random_below(random, 3) != 0)
            continue;
        size_t place = ((size_t)i * (places / EDGES_MAX == 0 ? 1 : places / EDGES_MAX)) * 12;
        uintptr_t word = word_for(random, target);
        memcpy(graph.blocks[from] + place, &word, sizeof word);
        graph.edges[from][graph.edge_count[from]++] = target;
    }
}

static void make_blocks(struct random *random, int first, int end)
{
    for (int i = first; i < end; i++) {
        size_t bytes = block_bytes_for(random);
        graph.leaf[i] = random_below(random, 8) == 0;
        graph.blocks[i] = graph.leaf[i] ? heap_allocate_leaf(bytes) : heap_allocate(bytes);
        graph.size_bytes[i] = unit_at(graph.blocks[i])->slot_bytes;
        memset(graph.blocks[i], 0, graph.size_bytes[i]);
    }
}

static void make_graph(struct random *random)
{
    memset(&graph, 0, sizeof graph);
    make_blocks(random, 0, BLOCKS);
    for (int i = 0; i < BLOCKS; i++)
        link_block(random, i);
}

static void reach(int root)
{
    static int stack[BLOCKS];
    int count = 0;
    if (!graph.reached[root])
        stack[count++] = root;
    graph.reached[root] = true;
    while (count != 0) {
        int from = stack[--count];
        for (int i = 0; i < graph.edge_count[from] && !graph.leaf[from]; i++) {
            int to = graph.edges[from][i];
            if (!graph.reached[to])
                stack[count++] = to;
            graph.reached[to] = true;
        }
    }
}

static void mark_roots(struct random *random, size_t limit)
{
    start_marking(limit);
    int roots = (int)random_below(random, 4);
    for (int i = 0; i < roots; i++) {
        int root = (int)random_below(random, BLOCKS);
        mark_word(&marker, word_for(random, root));
        reach(root);
    }
    mark_drain(&marker);
}

static size_t grey_places(void)
{
    size_t count = 0;
    struct white_span span;
    for (size_t unit = 0; white_span_from(unit, &span); unit = span.first_unit + span.unit_count)
        for (size_t i = 0; i <= span.slot_count; i += WORD_BITS)
            count += span.places[i / WORD_BITS].grey != 0;
    return count;
}

static void expect_model(void)
{
    for (int i = 0; i < BLOCKS; i++)
        hot_assert(is_marked(graph.blocks[i]) == graph.reached[i], "marked is what the model reaches");
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        hot_assert(span_is_large(span) || memchr(white_of(span->states), GREY, span->slot_count) == NULL,
                   "nothing is left grey");
    hot_assert(grey_places() == 0, "nor in the bits beside each other");
}

START_TEST(random_graphs_are_marked_as_the_model_says)
{
    static const size_t limits[] = {ITEMS, 1, 2, 7, 100};
    struct random random = {(uint64_t)_i};
    class_rule.bias = (size_t)_i / 5 % 2; /* 0 as with the option gc */
    start_heap();
    make_graph(&random);
    mark_roots(&random, limits[(size_t)_i % 5]);
    expect_model();
}
END_TEST

/*
 * Some blocks are old, and some of those have gone: the young ones among them take their slots. What any old block leads to is held, and
 * nothing else but what roots lead to.
 */
START_TEST(what_old_blocks_lead_to_is_marked_as_the_model_says)
{
    struct random random = {(uint64_t)_i + 2000};
    struct white_rule rule;
    int old_count = BLOCKS / 8 * (_i % 8);
    int gone = old_count / 3;
    class_rule.bias = 0;
    start_heap();
    memset(&graph, 0, sizeof graph);
    make_blocks(&random, 0, old_count);
    grow_old();
    for (int i = 0; i < gone; i++)
        heap_free(graph.blocks[i]);
    make_blocks(&random, old_count, BLOCKS);
    make_blocks(&random, 0, gone);
    for (int i = 0; i < BLOCKS; i++)
        link_block(&random, i);
    white_rule_young(&rule, 1, 2);
    ck_assert_int_eq(white_start(&rule), 0);
    mark_start(&marker, items, ITEMS);
    int root = (int)random_below(&random, BLOCKS);
    mark_word(&marker, word_for(&random, root));
    reach(root);
    for (int i = gone; i < old_count; i++)
        reach(i);
    old_mark(&marker, 1);
    for (int i = 0; i < BLOCKS; i++)
        if (i < gone || i >= old_count)
            hot_assert(is_marked(graph.blocks[i]) == graph.reached[i], "marked is what the model reaches");
}
END_TEST

/* What is swept is free for the heap, and everything else is as it was. */
START_TEST(a_sweep_frees_what_the_model_does_not_reach)
{
    struct random random = {(uint64_t)_i + 1000};
    start_heap();
    make_graph(&random);
    mark_roots(&random, ITEMS);
    heap_birth_set(1);
    struct sweep_result result;
    sweep_all(&result);
    size_t reached = 0;
    for (int i = 0; i < BLOCKS; i++)
        reached += graph.reached[i];
    ck_assert_uint_eq(result.live_blocks, reached);
    ck_assert_uint_eq(result.freed_blocks, BLOCKS - reached);
    for (int i = 0; i < BLOCKS; i++) {
        if (!graph.reached[i])
            continue;
        ck_assert(slot_is_allocated(unit_at(graph.blocks[i])->kind == UNIT_LARGE
                                        ? atomic_load(&unit_at(graph.blocks[i])->large_state)
                                        : slot_state_get(unit_slot_state(unit_at(graph.blocks[i]), graph.blocks[i]))));
        heap_free(graph.blocks[i]);
    }
    expect_sound_heap();
    thread_heap_flush(thread_heap_get());
    expect_sound_heap();
    ck_assert_uint_eq(units_taken(), 0);
}
END_TEST

/* A list so long that a stack of its length would be needed if the wrong end came first; and a very wide block. */
START_TEST(long_lists_and_wide_blocks_fit_a_small_worklist)
{
    enum { COUNT = 100000 };
    start_heap();
    void **wide = allocate(COUNT * sizeof *wide);
    void **previous = NULL;
    for (int i = 0; i < COUNT; i++) {
        void **block = allocate(32);
        block[0] = allocate(32);
        memset(block[0], 0, 32);
        block[1] = previous;
        block[2] = block[3] = NULL;
        previous = block;
        wide[i] = block[0];
    }
    for (size_t limit = 1; limit <= ITEMS; limit *= 16) {
        start_marking(limit);
        mark_word(&marker, (uintptr_t)(limit == 16 ? (void *)wide : (void *)previous));
        mark_drain(&marker);
        ck_assert_uint_eq(marker.blocks, limit == 16 ? COUNT + 1 : 2 * COUNT);
    }
}
END_TEST

/* However many words wait, there is room for those of a block; and what waits is found in the end. */
START_TEST(what_is_found_in_no_order_is_marked)
{
    enum { WIDE = 100, WORDS = 16 };
    void **wide[WIDE];
    class_rule.bias = 0;
    start_heap();
    for (int i = 0; i < WIDE; i++) {
        wide[i] = memset(allocate(WORDS * sizeof(void *)), 0, WORDS * sizeof(void *));
        for (int word = 0; word < WORDS; word++)
            wide[i][word] = memset(allocate(48), 0, 48);
    }
    start_marking(1);
    for (int i = 0; i < _i; i++)
        mark_word(&marker, (uintptr_t)wide[i]);
    mark_drain(&marker);
    for (int i = 0; i < WIDE; i++)
        for (int word = 0; word < WORDS; word++)
            hot_assert(is_marked(wide[i]) == (i < _i) && is_marked(wide[i][word]) == (i < _i), "all it leads to");
    ck_assert_uint_eq(marker.blocks, (size_t)_i * (1 + WORDS));
}
END_TEST

/* As a finalizer's block is, which must not count as held by what it holds itself. */
START_TEST(what_was_set_back_is_found_again)
{
    class_rule.bias = 0;
    start_heap();
    for (size_t size_bytes = 48; size_bytes < 3000000; size_bytes *= 50) {
        char *blocks[] = {allocate(48), memset(allocate(size_bytes), 0, size_bytes)};
        start_marking(1);
        for (int round = 0; round < 2; round++) {
            mark_word(&marker, (uintptr_t)blocks[0]);
            mark_word(&marker, (uintptr_t)blocks[1]);
            mark_drain(&marker);
            ck_assert(is_marked(blocks[1]));
            struct white_span span;
            ck_assert(white_span_of((size_t)(unit_at(blocks[1]) - heap_layout.units), &span));
            white_set_back(blocks[1], span.white + ((uintptr_t)blocks[1] - span.start) / span.slot_bytes, WHITE);
            ck_assert(!is_marked(blocks[1]));
        }
    }
}
END_TEST

/* Once around: a block from 63 cycles ago is not taken for one of the present. */
START_TEST(old_blocks_outlive_the_numbering_of_births)
{
    start_heap();
    char *old = allocate(48);
    char *large = allocate(100000);
    for (uint32_t cycle = 0; cycle < 3 * BIRTH_COUNT; cycle++) {
        uint32_t birth = cycle % (BIRTH_COUNT - 1) + 1;
        struct white_rule rule;
        white_rule_full(&rule, birth);
        heap_lock_all();
        ck_assert_int_eq(white_start(&rule), 0);
        heap_birth_set(birth);
        heap_unlock_all();
        ck_assert_uint_ne(slot_birth(slot_state_get(unit_slot_state(unit_at(old), old))), birth);
        ck_assert_uint_ne(slot_birth(atomic_load(&unit_at(large)->large_state)), birth);
        ck_assert(!is_marked(old) && !is_marked(large));
        char *fresh = allocate(48);
        ck_assert_uint_eq(slot_birth(slot_state_get(unit_slot_state(unit_at(fresh), fresh))), birth);
    }
    expect_sound_heap();
}
END_TEST

static TCase *words(void)
{
    TCase *tests = tcase_create("words");
    int count = sizeof sizes / sizeof sizes[0];
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_address_of_a_block_holds_it, 0, count);
    tcase_add_loop_test(tests, tags_in_the_top_bits_do_not_matter, 0, count);
    tcase_add_loop_test(tests, words_in_blocks_count_at_every_multiple_of_four, 1, count);
    tcase_add_test(tests, ranges_are_read_at_the_step_asked_for);
    tcase_add_test(tests, one_past_the_end_counts_in_blocks_where_nothing_follows);
    tcase_add_loop_test(tests, the_last_slot_of_a_span_has_an_end_too, 0, 64);
    tcase_add_test(tests, leaves_are_marked_and_not_scanned);
    tcase_add_test(tests, memory_that_must_not_be_read_is_not);
    tcase_add_loop_test(tests, pages_that_hold_nothing_stay_as_they_are, 0, 2);
    return tests;
}

static TCase *graphs(void)
{
    TCase *tests = tcase_create("graphs");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, random_graphs_are_marked_as_the_model_says, 0, 60);
    tcase_add_loop_test(tests, what_old_blocks_lead_to_is_marked_as_the_model_says, 0, 40);
    tcase_add_loop_test(tests, a_sweep_frees_what_the_model_does_not_reach, 0, 20);
    tcase_add_test(tests, long_lists_and_wide_blocks_fit_a_small_worklist);
    tcase_add_loop_test(tests, what_is_found_in_no_order_is_marked, 0, 100);
    tcase_add_test(tests, what_was_set_back_is_found_again);
    tcase_add_test(tests, old_blocks_outlive_the_numbering_of_births);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {words, graphs};
    return suite_run("gc/mark", makers, 2);
}
