/*
 * tools/main: the gcalloc command. It finds the subcommand and answers --help and --version.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/say.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &command_run,
    &command_top,
    &command_report,
    &command_diff,
    &command_leaks,
    &command_profile,
    &command_snapshot,
    &command_grow,
    &command_why,
    &command_dangling,
    &command_options,
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_overview(FILE *stream)
{
    fputs("Usage: gcalloc COMMAND [ARGUMENT]...\n"
          "\n"
          "Runs programs on the gcalloc heap and looks into those that run on it.\n"
          "\n",
          stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help       explain a command\n"
          "\n"
          "  -h, --help     print this\n"
          "  -V, --version  print the version\n"
          "\n"
          "For example:  gcalloc run --stats -- python3 -c 'print(6 * 7)'\n"
          "See gcalloc(1) for the command, gcalloc(7) for what the library does in a program.\n",
          stream);
}

/* Output that could not be written (a full disk, say) is a failure of the command, not a success.
 */
static int finish_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return STATUS_DONE;
    say_error("standard output: %m");
    return STATUS_FAILED;
}

static int unknown_command(const char *name)
{
    say_error("no command named \"%s\"; see gcalloc --help", name);
    return STATUS_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stdout);
        return finish_output();
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL)
        return unknown_command(argv[1]);
    fputs(command->help, stdout);
    return finish_output();
}

static int run_command(int argc, char **argv)
{
    if (strcmp(argv[0], "help") == 0)
        return help(argc, argv);
    const struct command *command = find_command(argv[0]);
    if (command == NULL)
        return unknown_command(argv[0]);
    /* What is wrong with options is said of argv[0]. */
    char full_name[32];
    snprintf(full_name, sizeof full_name, "gcalloc %s", command->name);
    argv[0] = full_name;
    /* Zero, not one: glibc's getopt then forgets the scan of our own options. */
    optind = 0;
    int status = command->main(argc, argv);
    return status == STATUS_DONE ? finish_output() : status;
}

int main(int argc, char **argv)
{
    char own_name[] = "gcalloc";
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    if (argc > 0)
        argv[0] = own_name;
    for (;;) {
        switch (arguments_next(argc, argv, "+hV", options)) {
        case 'h':
            print_overview(stdout);
            return finish_output();
        case 'V':
            puts("gcalloc " GCALLOC_VERSION);
            return finish_output();
        case -1:
            if (optind < argc)
                return run_command(argc - optind, argv + optind);
            print_overview(stderr);
            return STATUS_USAGE;
        default:
            return STATUS_USAGE;
        }
    }
}
