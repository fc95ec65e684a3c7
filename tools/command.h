/* tools/command: the subcommands of `gcalloc`, one function each, and the table main() finds them
 * in. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

struct command {
    const char *name;
    const char *summary;
    const char *help;                   /* what `gcalloc help NAME` prints */
    int (*main)(int argc, char **argv); /* returns the exit status; argv[0] is the name */
};

extern const struct command command_run;
extern const struct command command_top;
extern const struct command command_why;
extern const struct command command_dangling;
extern const struct command command_report;
extern const struct command command_diff;
extern const struct command command_leaks;
extern const struct command command_profile;
extern const struct command command_snapshot;
extern const struct command command_grow;
extern const struct command command_options;

#endif
