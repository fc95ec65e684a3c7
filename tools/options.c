/*
 * tools/options: `gcalloc options`, its command line. The list itself is made in tools/option_list.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/option_list.h"
#include "tools/say.h"

#include <stddef.h>
#include <stdio.h>

static const char help[] =
    "Usage: gcalloc options\n"
    "\n"
    "Lists every option of the library: name, type, default, range and meaning. When the variable\n"
    "GCALLOC_OPTIONS is set, its values are shown, too, and it is an error if something in it is\n"
    "wrong.\n"
    "\n"
    "  -h, --help               print this\n"
    "\n"
    "Exit status: 0; 1 when GCALLOC_OPTIONS holds something wrong; 2 for a wrong call.\n";

static int list_options(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int letter = arguments_next(argc, argv, "h", options);
    if (letter == 'h')
        return fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
    if (letter != -1)
        return STATUS_USAGE;
    if (optind < argc) {
        say_error("takes no arguments: %s; see gcalloc help options", argv[optind]);
        return STATUS_USAGE;
    }
    return option_list_print();
}

const struct command command_options = {"options", "list the library's options", help,
                                        list_options};
