/* tools/library: where libgcalloc.so is. */
#ifndef TOOLS_LIBRARY_H
#define TOOLS_LIBRARY_H

/*
 * The absolute path of the library, to be freed by the caller: the given one; else what
 * GCALLOC_LIBRARY names; else the one beside this very command, in a build tree or installed; else
 * the one in the configured folder. NULL after an error message when there is none.
 */
char *library_find(const char *given);

#endif
