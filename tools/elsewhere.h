/* tools/elsewhere: starting this command again, so that its own memory lies elsewhere. */
#ifndef TOOLS_ELSEWHERE_H
#define TOOLS_ELSEWHERE_H

/*
 * For when something of this process lies where a copy of another's heap must. `command` is the subcommand, `arguments`
 * what came behind it. Returns only if that can't be done, or was done too often.
 */
void elsewhere_start(const char *command, char **arguments);

#endif
