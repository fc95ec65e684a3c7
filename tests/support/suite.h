/*
 * support/suite: runs a Check suite and says how it went in the usual closing line.
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef TCase *test_case_maker(void);

/*
 * ck_assert writes its place into a pipe each time it holds. In loops of many thousands, only what does not hold is
 * worth a word.
 */
static inline void hot_assert(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

/* Runs the cases as one suite; returns the exit status for main. */
int suite_run(const char *name, test_case_maker *const *makers, unsigned count);

#ifdef __cplusplus
}
#endif

#endif
