/*
 * support/subject: makes sure that a test really runs on the allocator it is meant to test.
 *
 * GCALLOC_TEST_LIBRARY names the shared object (an absolute path). The word "none" means "whatever
 * allocator the process has": that is how a test is itself tested, on libc's and the peers'
 * mallocs, before it judges ours.
 */
#ifndef TESTS_SUPPORT_SUBJECT_H
#define TESTS_SUPPORT_SUBJECT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Returns only in a process that runs on the subject. If the library is not loaded yet, executes
 * the program again with it in LD_PRELOAD; exits with status 99 (automake's hard error) where that
 * does not help.
 */
void subject_require(char **arguments);

/* True unless GCALLOC_TEST_LIBRARY is "none": gca_* functions must be there. */
bool subject_is_gcalloc(void);

/* Walks and checks the whole heap. True where it is sound; on a peer there is nothing to ask, and
 * it is true. */
bool subject_verify(void);

/* Looks up a function in the global scope, as a program's own dlsym would. NULL where there is
 * none. */
void *subject_function(const char *name);

#ifdef __cplusplus
}
#endif

#endif
