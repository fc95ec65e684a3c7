/* tools/report/command, built without jansson: no report can be read. */
#include "tools/command.h"
#include "tools/say.h"

static int refuse(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    say_error("this gcalloc was built without jansson: it can't read reports");
    return STATUS_FAILED;
}

const struct command command_report = {"report", "show a report (not in this build: no jansson)",
                                       "This gcalloc was built without jansson.\n", refuse};
const struct command command_diff = {"diff", "compare reports (not in this build: no jansson)",
                                     "This gcalloc was built without jansson.\n", refuse};
