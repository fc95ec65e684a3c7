/*
 * preload/conformance/cases: what ISO C, POSIX and glibc promise about malloc and its kin, one file
 * per promise.
 *
 * The programs these cases stand for call a malloc they do not know, so nothing here includes a
 * header of gcalloc.
 */
#ifndef TESTS_PRELOAD_CONFORMANCE_CASES_H
#define TESTS_PRELOAD_CONFORMANCE_CASES_H

#include <check.h>

TCase *zero_size_case(void);
TCase *limit_case(void);
TCase *overflow_case(void);
TCase *errno_case(void);
TCase *alignment_case(void);
TCase *every_size_case(void);
TCase *realloc_case(void);
TCase *calloc_case(void);
TCase *usable_size_case(void);
TCase *sized_free_case(void);
TCase *alias_case(void);
TCase *introspection_case(void);
TCase *thread_case(void);

#endif
