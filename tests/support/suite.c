#include "support/suite.h"

#include <stdlib.h>

int suite_run(const char *name, test_case_maker *const *makers, unsigned count)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    /* A test that hangs ends. Check's own 4 seconds are short for a sanitizer on a busy machine; who knows better may set both. */
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    for (unsigned i = 0; i < count; i++)
        suite_add_tcase(suite, makers[i]());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    if (srunner_ntests_run(runner) == 0)
        failed = 1;
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
