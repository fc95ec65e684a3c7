/* tools/program: what stands between a program file and a preloaded library. */
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

/*
 * Why ld.so will not load the library into the program, as the end of the sentence "PROGRAM is
 * ...", or NULL when nothing is known to stand in the way. The name is looked up in PATH as execvp
 * does; a script counts as its interpreter. The text is static.
 */
const char *program_hindrance(const char *name);

#endif
