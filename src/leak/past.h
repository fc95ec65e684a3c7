/*
 * leak/past: where a block was allocated and freed, as far as it was recorded, for reports of misuse.
 */
#ifndef LEAK_PAST_H
#define LEAK_PAST_H

/* After record_start(): reports of misuse say it from now on. */
void past_start(void);

#endif
