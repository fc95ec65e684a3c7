/* base/bits: each bitmap function against the plain loop over single bits, at every border of a word. */
#include "base/bits.h"
#include "property/random.h"
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 200, WORDS = 4 };

static void randomize(uint64_t *words, struct random *random)
{
    for (int i = 0; i < WORDS; i++)
        words[i] = random_next(random) & random_next(random);
}

START_TEST(rounding_stays_at_multiples_and_passes_others)
{
    for (uint32_t shift = 0; shift < 40; shift++) {
        uint64_t power = (uint64_t)1 << shift;
        ck_assert(is_power_of_two(power));
        ck_assert(!is_power_of_two(power * 2 + power));
        ck_assert_uint_eq(round_up(3 * power, power), 3 * power);
        ck_assert_uint_eq(round_up(2 * power + 1, power), power == 1 ? 3 : 3 * power);
        ck_assert_uint_eq(round_down(4 * power - 1, power), 4 * power - power);
        ck_assert_uint_eq(round_down(3 * power, power), 3 * power);
    }
    ck_assert(!is_power_of_two(0));
}
END_TEST

START_TEST(words_hold_every_bit)
{
    ck_assert_uint_eq(words_for(0), 0);
    ck_assert_uint_eq(words_for(1), 1);
    ck_assert_uint_eq(words_for(64), 1);
    ck_assert_uint_eq(words_for(65), 2);
}
END_TEST

START_TEST(lowest_highest_and_count_of_a_word)
{
    for (uint32_t i = 0; i < 64; i++)
        for (uint32_t j = i; j < 64; j++) {
            uint64_t word = (uint64_t)1 << i | (uint64_t)1 << j;
            ck_assert_uint_eq(bit_lowest(word), i);
            ck_assert_uint_eq(bit_highest(word), j);
            ck_assert_uint_eq(bit_count(word), i == j ? 1 : 2);
        }
}
END_TEST

START_TEST(a_mask_has_its_bits_and_no_others)
{
    for (uint32_t first = 0; first < 64; first++)
        for (uint32_t count = 1; first + count <= 64; count++) {
            uint64_t mask = word_mask(first, count);
            for (uint32_t i = 0; i < 64; i++)
                ck_assert_uint_eq(mask >> i & 1, i >= first && i < first + count);
        }
}
END_TEST

/* Every range of 200 bits, so every way to lie across words. */
START_TEST(fill_changes_the_range_and_nothing_else)
{
    struct random random = {1};
    for (size_t first = 0; first <= BITS; first++)
        for (size_t count = 0; first + count <= BITS; count++) {
            uint64_t before[WORDS], after[WORDS];
            bool value = (first ^ count) & 1;
            randomize(before, &random);
            memcpy(after, before, sizeof after);
            bitmap_fill(after, first, count, value);
            for (size_t i = first; i < first + count; i++)
                value ? bitmap_set(before, i) : bitmap_clear(before, i);
            ck_assert_mem_eq(before, after, sizeof after);
        }
}
END_TEST

START_TEST(count_is_the_sum_of_single_bits)
{
    struct random random = {2};
    uint64_t words[WORDS];
    randomize(words, &random);
    for (size_t first = 0; first <= BITS; first++) {
        size_t sum = 0;
        for (size_t count = 0; first + count <= BITS; count++) {
            ck_assert_uint_eq(bitmap_count(words, first, count), sum);
            sum += first + count < BITS && bitmap_get(words, first + count);
        }
    }
}
END_TEST

static size_t find_plainly(const uint64_t *words, size_t from, size_t limit, bool value)
{
    while (from < limit && bitmap_get(words, from) != value)
        from++;
    return from;
}

START_TEST(find_returns_the_first_or_the_limit)
{
    struct random random = {3};
    for (int round = 0; round < 20; round++) {
        uint64_t words[WORDS];
        randomize(words, &random);
        if (round == 0)
            memset(words, 0, sizeof words);
        if (round == 1)
            memset(words, 0xff, sizeof words);
        for (size_t from = 0; from <= BITS; from++)
            for (size_t limit = from; limit <= BITS; limit += 1 + limit % 3) {
                ck_assert_uint_eq(bitmap_find(words, from, limit, true),
                                  find_plainly(words, from, limit, true));
                ck_assert_uint_eq(bitmap_find(words, from, limit, false),
                                  find_plainly(words, from, limit, false));
            }
    }
}
END_TEST

static TCase *bits(void)
{
    TCase *tests = tcase_create("bits");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, rounding_stays_at_multiples_and_passes_others);
    tcase_add_test(tests, words_hold_every_bit);
    tcase_add_test(tests, lowest_highest_and_count_of_a_word);
    tcase_add_test(tests, a_mask_has_its_bits_and_no_others);
    tcase_add_test(tests, fill_changes_the_range_and_nothing_else);
    tcase_add_test(tests, count_is_the_sum_of_single_bits);
    tcase_add_test(tests, find_returns_the_first_or_the_limit);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {bits};
    return suite_run("base/bits", makers, 1);
}
