/* tools/subject: what `leaks`, `profile`, `why` and the like look into: a process or a core file, by its number or name. */
#ifndef TOOLS_SUBJECT_H
#define TOOLS_SUBJECT_H

#include "tools/snapshot.h"

#include <sys/types.h>

/* The process id that the text is, or 0: it is the name of a file. */
pid_t subject_process(const char *text);

/*
 * Takes a snapshot of it and makes it what this process works on. Says what is wrong, in a line, and returns an exit
 * status; STATUS_DONE is 0. `command` and `arguments` are as for elsewhere_start().
 */
int subject_open(const char *text, const char *command, char **arguments, struct snapshot *snapshot_out);
void subject_close(struct snapshot *snapshot);

#endif
