/*
 * support/require: for programs that are themselves the test: what must be true, or the program ends with status 1 and
 * says where. Allocates nothing and runs no exit handlers.
 */
#ifndef TESTS_SUPPORT_REQUIRE_H
#define TESTS_SUPPORT_REQUIRE_H

__attribute__((noreturn)) void require_failed(const char *what, const char *file, int line);

/* A macro for the sake of its text and place; and the compiler sees that what follows may rely on it. */
#define require(condition) ((condition) ? (void)0 : require_failed(#condition, __FILE__, __LINE__))

#endif
