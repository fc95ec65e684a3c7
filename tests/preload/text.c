/* preload/text: formatted text in an arena, by a program that links the library. */
#include "gcalloc/text.h"
#include "support/suite.h"

#include <errno.h>
#include <gcalloc.h>
#include <stdlib.h>

static gca_arena *make(void)
{
    gca_arena *arena = gca_arena_new(NULL);
    ck_assert_ptr_nonnull(arena);
    return arena;
}

START_TEST(all_that_printf_does)
{
    gca_arena *arena = make();
    ck_assert_str_eq(gca_arena_printf(arena, "%s", ""), "");
    char *text = gca_arena_printf(arena, "%5d|%-6s|%.3f|%#zx", 42, "ab", 3.14159, (size_t)255);
    ck_assert_str_eq(text, "   42|ab    |3.142|0xff");
    gca_arena_free(arena);
}
END_TEST

/* Of every length around what is left of the chunk. */
START_TEST(texts_that_do_not_fit_what_is_left)
{
    for (size_t left = 0; left < 40; left++) {
        gca_arena *arena = make();
        size_t room = (size_t)(arena->limit - arena->next);
        ck_assert_ptr_nonnull(gca_arena_alloc_aligned(arena, room - left, 1));
        char *first = gca_arena_printf(arena, "%020d", 7);
        char *second = gca_arena_printf(arena, "%s", "second");
        ck_assert_str_eq(first, "00000000000000000007");
        ck_assert_str_eq(second, "second");
        gca_arena_free(arena);
    }
}
END_TEST

START_TEST(long_texts)
{
    gca_arena *arena = make();
    char *text = gca_arena_printf(arena, "%*d", 3000000, 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), 3000000);
    gca_arena_free(arena);
    arena = gca_arena_new(&(gca_arena_options){.budget_bytes = 100000});
    errno = 0;
    ck_assert_ptr_null(gca_arena_printf(arena, "%*d", 3000000, 1));
    ck_assert_int_eq(errno, ENOMEM);
    gca_arena_free(arena);
}
END_TEST

START_TEST(a_copy_outlives_its_arena)
{
    gca_arena *arena = make();
    char *copy = gca_copy_out(gca_arena_strdup(arena, "kept"), 5);
    gca_arena_free(arena);
    ck_assert_str_eq(copy, "kept");
    ck_assert(gca_is_block(copy));
    free(copy);
}
END_TEST

static TCase *text(void)
{
    TCase *tests = tcase_create("text");
    tcase_add_test(tests, all_that_printf_does);
    tcase_add_test(tests, texts_that_do_not_fit_what_is_left);
    tcase_add_test(tests, long_texts);
    tcase_add_test(tests, a_copy_outlives_its_arena);
    return tests;
}

int main(void)
{
    return suite_run("preload/text", (test_case_maker *[]){text}, 1);
}
