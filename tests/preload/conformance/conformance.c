/*
 * preload/conformance: the malloc ABI to the letter. Built twice: linked with libc alone and
 * preloaded, and linked with -lgcalloc.
 */
#include "preload/conformance/cases.h"
#include "support/subject.h"
#include "support/suite.h"

static test_case_maker *const makers[] = {
    zero_size_case,  limit_case,         overflow_case, errno_case,       alignment_case,
    every_size_case, realloc_case,       calloc_case,   usable_size_case, sized_free_case,
    alias_case,      introspection_case, thread_case,
};

int main(int count, char **arguments)
{
    (void)count;
    subject_require(arguments);
    return suite_run("conformance", makers, sizeof makers / sizeof *makers);
}
