/* mallinfo, malloc_info and their kin: the figures must be plausible, the formats what their
 * readers parse. */
#include "preload/conformance/cases.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 4000, BLOCK_BYTES = 2500, TOTAL_BYTES = BLOCKS * BLOCK_BYTES };
static void *blocks[BLOCKS];

static void take_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
}

static void drop_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

START_TEST(mallinfo2_counts_live_blocks)
{
    struct mallinfo2 before = mallinfo2(), full, after;
    void *large;

    take_blocks();
    large = malloc(30 << 20);
    memset(large, 1, 30 << 20);
    full = mallinfo2();
    ck_assert_uint_ge(full.uordblks + full.hblkhd,
                      before.uordblks + before.hblkhd + TOTAL_BYTES + (30 << 20));
    ck_assert_uint_le(full.uordblks + full.hblkhd,
                      before.uordblks + before.hblkhd + 2 * TOTAL_BYTES + (40 << 20));
    ck_assert_uint_ge(full.arena + full.hblkhd, TOTAL_BYTES + (30 << 20));
    free(large);
    drop_blocks();
    after = mallinfo2();
    ck_assert_uint_lt(after.uordblks + after.hblkhd,
                      full.uordblks + full.hblkhd - TOTAL_BYTES - (29 << 20));
}
END_TEST

START_TEST(mallinfo_agrees)
{
    struct mallinfo before = mallinfo(), full;
    struct mallinfo2 full2;

    take_blocks();
    full = mallinfo();
    full2 = mallinfo2();
    ck_assert_int_ge(full.uordblks, before.uordblks + TOTAL_BYTES);
    ck_assert_uint_eq((size_t)full.uordblks, full2.uordblks);
    ck_assert_uint_eq((size_t)full.arena, full2.arena);
    drop_blocks();
}
END_TEST

START_TEST(mallopt_takes_the_known_parameters)
{
    ck_assert_int_eq(mallopt(M_MMAP_THRESHOLD, 256 << 10), 1);
    ck_assert_int_eq(mallopt(M_TRIM_THRESHOLD, 256 << 10), 1);
    ck_assert_int_eq(mallopt(M_TOP_PAD, 64 << 10), 1);
    ck_assert_int_eq(mallopt(M_MMAP_MAX, 1000), 1);
    ck_assert_int_eq(mallopt(M_ARENA_MAX, 1), 1);
    ck_assert_int_eq(mallopt(M_MXFAST, 64), 1);
    ck_assert_int_eq(mallopt(M_PERTURB, 0), 1);
    take_blocks();
    drop_blocks();
    ck_assert(subject_verify());
}
END_TEST

START_TEST(malloc_trim_answers)
{
    int answer;

    take_blocks();
    drop_blocks();
    answer = malloc_trim(0);
    ck_assert(answer == 0 || answer == 1);
    answer = malloc_trim((size_t)1 << 30);
    ck_assert(answer == 0 || answer == 1);
    ck_assert(subject_verify());
}
END_TEST

/* Runs the function in a child whose stderr and stdout are pipes; what it wrote to each comes back.
 */
static void capture(void (*function)(void), char *out, char *error, size_t size)
{
    int pipes[2][2], status;
    char *texts[2] = {out, error};
    pid_t child;

    ck_assert(pipe(pipes[0]) == 0 && pipe(pipes[1]) == 0);
    child = fork();
    if (child == 0) {
        dup2(pipes[0][1], STDOUT_FILENO);
        dup2(pipes[1][1], STDERR_FILENO);
        function();
        fflush(NULL);
        _exit(0);
    }
    for (int i = 0; i < 2; i++) {
        size_t length = 0;
        ssize_t got;

        close(pipes[i][1]);
        while (length + 1 < size &&
               (got = read(pipes[i][0], texts[i] + length, size - 1 - length)) > 0)
            length += (size_t)got;
        texts[i][length] = '\0';
        close(pipes[i][0]);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(malloc_stats_writes_to_stderr)
{
    static char out[65536], error[65536];

    capture(malloc_stats, out, error, sizeof error);
    ck_assert_str_eq(out, "");
    ck_assert_uint_gt(strlen(error), 20);
    ck_assert_int_eq(error[strlen(error) - 1], '\n');
}
END_TEST

/* Walks the tags: each that opens must close in order, attributes must be quoted. */
static void check_well_formed(const char *text)
{
    char open[32][32];
    int depth = 0, roots = 0;

    while ((text = strchr(text, '<')) != NULL) {
        char name[32];
        size_t length = strcspn(text, ">");
        int quotes = 0;

        ck_assert_int_eq(text[length], '>');
        for (size_t i = 0; i < length; i++)
            quotes += text[i] == '"';
        ck_assert_int_eq(quotes % 2, 0);
        ck_assert_int_eq(
            sscanf(text + 1, text[1] == '/' ? "/%31[a-zA-Z0-9_]" : "%31[a-zA-Z0-9_]", name), 1);
        if (text[1] == '/') {
            ck_assert_int_gt(depth, 0);
            ck_assert_str_eq(name, open[--depth]);
        } else if (text[length - 1] != '/') {
            ck_assert_int_lt(depth, 32);
            roots += depth == 0;
            strcpy(open[depth++], name);
        }
        text += length;
    }
    ck_assert_int_eq(depth, 0);
    ck_assert_int_eq(roots, 1);
}

START_TEST(malloc_info_is_xml)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    take_blocks();
    ck_assert_int_eq(malloc_info(0, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
    drop_blocks();
    ck_assert_msg(strncmp(text, "<malloc version=\"", 17) == 0, "begins with %.40s", text);
    ck_assert_str_eq(text + strlen(text) - strlen("</malloc>\n"), "</malloc>\n");
    ck_assert_uint_eq(strlen(text), size);
    check_well_formed(text);
    free(text);
}
END_TEST

START_TEST(malloc_info_knows_no_options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_int_eq(malloc_info(1, stream), EINVAL);
    fclose(stream);
    ck_assert_uint_eq(size, 0);
    free(text);
}
END_TEST

TCase *introspection_case(void)
{
    TCase *test_case = tcase_create("introspection");

    tcase_add_test(test_case, mallinfo2_counts_live_blocks);
    tcase_add_test(test_case, mallinfo_agrees);
    tcase_add_test(test_case, mallopt_takes_the_known_parameters);
    tcase_add_test(test_case, malloc_trim_answers);
    tcase_add_test(test_case, malloc_stats_writes_to_stderr);
    tcase_add_test(test_case, malloc_info_is_xml);
    tcase_add_test(test_case, malloc_info_knows_no_options);
    return test_case;
}
