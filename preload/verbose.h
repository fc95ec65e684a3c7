/* preload/verbose: what the library says of itself at the start. */
#ifndef PRELOAD_VERBOSE_H
#define PRELOAD_VERBOSE_H

/* With the option verbose: that it is there; from 2 on what options are set. */
void verbose_at_start(void);

#endif
