/*
 * gcalloc/leak.h from inside: checks, scopes, what is to be ignored, reports to a descriptor. With "off", without the option.
 */
#include <gcalloc/leak.h>

#include "support/opaque.h"
#include "support/require.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOST = 7, LOST_BYTES = 100 };

static void *volatile kept[LOST];

__attribute__((noinline)) static void lose(size_t count)
{
    for (size_t i = 0; i < count; i++)
        require(memset(malloc(LOST_BYTES), 0, LOST_BYTES) != NULL);
}

/* What these leave on the stack and in registers is overwritten. */
__attribute__((noinline)) static void clear_stack(void)
{
    volatile char room[16384];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

static size_t lost_now(void)
{
    gca_leak_summary summary = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    clear_stack();
    require(gca_leak_check(&summary) == 0);
    return summary.definite.blocks;
}

static void expect_checks(void)
{
    size_t before = lost_now();
    lose(LOST);
    require(lost_now() == before + LOST);
    kept[0] = malloc(50);
    require(lost_now() == before + LOST);
    kept[0] = NULL;
    require(lost_now() == before + LOST + 1);
}

__attribute__((noinline)) static void lose_ignored(void)
{
    void **head = malloc(sizeof *head);
    *head = malloc(10);
    require(gca_leak_ignore((char *)head + 3) == 0);
}

static void expect_ignoring(void)
{
    gca_leak_summary summary = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    size_t before = lost_now();
    gca_leak_ignore_begin();
    lose(LOST);
    gca_leak_ignore_begin();
    gca_leak_ignore_end();
    lose(1);
    gca_leak_ignore_end();
    require(lost_now() == before);
    lose_ignored();
    require(lost_now() == before);
    require(gca_leak_check(&summary) == 0 && summary.suppressed.blocks == LOST + 1 + 2);
    require(gca_leak_ignore(&summary) == -EINVAL);
    lose(1);
    require(lost_now() == before + 1);
}

static void expect_scopes(void)
{
    gca_leak_scope outer, inner, empty;
    gca_leak_summary summary = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    lose(3);
    require(gca_leak_scope_begin(&outer) == 0);
    lose(2);
    require(gca_leak_scope_begin(&inner) == 0);
    lose(5);
    kept[1] = malloc(100000);
    require(gca_leak_scope_begin(&empty) == 0);
    clear_stack();
    require(gca_leak_scope_check(&outer, -1, &summary) == 0);
    require(summary.definite.blocks == 7 && summary.definite.bytes == 7 * LOST_BYTES);
    require(gca_leak_scope_check(&inner, -1, &summary) == 0);
    require(summary.definite.blocks == 5 && summary.reachable.blocks == 1 && summary.reachable.bytes == 100000);
    require(gca_leak_scope_check(&empty, -1, &summary) == 0);
    require(summary.definite.blocks == 0 && summary.reachable.blocks == 0);
    free(kept[1]);
    for (int i = 0; i < 100; i++)
        require(gca_leak_scope_begin(&empty) == 0);
    require(gca_leak_scope_check(&empty, -1, &summary) == 0 && summary.definite.blocks == 0);
    require(gca_leak_scope_check(&outer, -1, &summary) == -EOVERFLOW);
}

static void expect_report(void)
{
    static char text[100000];
    int ends[2];
    gca_leak_summary summary = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    require(pipe(ends) == 0);
    require(gca_leak_report(ends[1], true, &summary) == 0 && summary.definite.blocks > 0);
    ssize_t count = read(ends[0], text, sizeof text - 1);
    require(count > 100 && strstr(text, "\"moment\":\"asked\"") != NULL && text[count - 2] == '}');
    gca_leak_scope scope;
    require(gca_leak_scope_begin(&scope) == 0);
    lose(1);
    clear_stack();
    require(gca_leak_scope_check(&scope, ends[1], NULL) == 0);
    count = read(ends[0], text, sizeof text - 1);
    require(count > 100);
    text[count] = '\0';
    require(strstr(text, "LEAK 1/1 definite  100 B in 1 block") != NULL);
    require(gca_leak_report(-1, true, NULL) == -EBADF);
}

static void expect_nothing(void)
{
    gca_leak_summary summary = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    gca_leak_scope scope;
    void *block = malloc(10);
    require(gca_leak_check(&summary) == -EOPNOTSUPP && gca_leak_report(2, false, NULL) == -EOPNOTSUPP);
    require(gca_leak_scope_begin(&scope) == -EOPNOTSUPP && gca_leak_ignore(block) == 0);
    gca_leak_ignore_begin();
    gca_leak_ignore_end();
    free(block);
}

int main(int count, char **arguments)
{
    require(count == 2);
    if (strcmp(arguments[1], "off") == 0) {
        expect_nothing();
        return 0;
    }
    expect_checks();
    expect_ignoring();
    expect_scopes();
    expect_report();
    _exit(0);
}
