/*
 * support/suite: runs a Check suite and says how it went in the usual closing line.
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef TCase *test_case_maker(void);

/* Runs the cases as one suite; returns the exit status for main. */
int suite_run(const char *name, test_case_maker *const *makers, unsigned count);

#ifdef __cplusplus
}
#endif

#endif
