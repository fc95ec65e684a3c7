/*
 * tools/arguments: getopt_long() with complaints as the command makes them.
 */
#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <getopt.h>

/*
 * Like getopt_long(), but says itself what is wrong, in one line with the name of the subcommand, which argv[0] ends with.
 * Returns '?' then. The letters say nothing of ':' or '-' at their beginning; '+' is allowed.
 */
int arguments_next(int argc, char **argv, const char *letters, const struct option *options);

#endif
