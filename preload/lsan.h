/* preload/lsan: what a program made for LeakSanitizer says of itself. */
#ifndef PRELOAD_LSAN_H
#define PRELOAD_LSAN_H

#include <stdbool.h>

/* Reads the program's own options and suppressions. With the option leaks only. */
void lsan_start(void);

/* The program does not want to be checked, at this moment. */
bool lsan_is_turned_off(void);

#endif
