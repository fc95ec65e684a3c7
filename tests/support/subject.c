#include "support/subject.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HARD_ERROR = 99 };

static const char *library_name(void)
{
    const char *library = getenv("GCALLOC_TEST_LIBRARY");

    if (library == NULL || *library == '\0') {
        fputs("GCALLOC_TEST_LIBRARY must name libgcalloc.so (or be \"none\")\n", stderr);
        exit(HARD_ERROR);
    }
    return library;
}

bool subject_is_gcalloc(void)
{
    return strcmp(library_name(), "none") != 0;
}

void *subject_function(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

/* The malloc that the program calls must be in the library that exports gca_version: a preload that
 * came second counts as not loaded. */
static bool runs_on_gcalloc(void)
{
    Dl_info of_malloc, of_version;
    void *version = subject_function("gca_version");

    return version != NULL && dladdr(version, &of_version) != 0 &&
           dladdr(subject_function("malloc"), &of_malloc) != 0 &&
           of_malloc.dli_fbase == of_version.dli_fbase;
}

void subject_require(char **arguments)
{
    if (!subject_is_gcalloc() || runs_on_gcalloc())
        return;
    if (getenv("GCALLOC_TEST_PRELOADED") == NULL && setenv("GCALLOC_TEST_PRELOADED", "1", 1) == 0 &&
        setenv("LD_PRELOAD", library_name(), 1) == 0)
        execv("/proc/self/exe", arguments);
    fprintf(stderr, "%s does not run on %s\n", arguments[0], library_name());
    exit(HARD_ERROR);
}

bool subject_verify(void)
{
    int (*verify)(void) = (int (*)(void))subject_function("gca_heap_verify");

    return verify != NULL ? verify() == 0 : !subject_is_gcalloc();
}
