/*
 * support/require: for programs that are themselves the test: what must be true, or the program ends with status 1 and
 * says where. Allocates nothing and runs no exit handlers.
 */
#ifndef TESTS_SUPPORT_REQUIRE_H
#define TESTS_SUPPORT_REQUIRE_H

#include <stdbool.h>

void require_at(bool holds, const char *what, const char *file, int line);

/* A macro for the sake of its text and place. */
#define require(condition) require_at((condition), #condition, __FILE__, __LINE__)

#endif
