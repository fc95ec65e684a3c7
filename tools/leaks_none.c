/* tools/leaks and tools/grow, built without jansson: reports can be written, not shown. */
#include "tools/command.h"
#include "tools/say.h"

static const char help[] = "This gcalloc was built without jansson. gcalloc snapshot writes what another one can show.\n";

static int none(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    say_error("this gcalloc was built without jansson: it can't show reports, only write them (gcalloc snapshot)");
    return STATUS_FAILED;
}

const struct command command_leaks = {"leaks", "show what a running program leaks (not in this build)", help, none};
const struct command command_profile = {"profile", "show what a running program holds (not in this build)", help, none};
const struct command command_grow = {"grow", "show what grows in a running program (not in this build)", help, none};
