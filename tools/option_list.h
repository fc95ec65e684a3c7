/* tools/option_list: what GCALLOC_OPTIONS understands, and what it is set to. */
#ifndef TOOLS_OPTION_LIST_H
#define TOOLS_OPTION_LIST_H

/* Prints the list. Returns the exit status: whether all of GCALLOC_OPTIONS could be read. */
int option_list_print(void);

#endif
