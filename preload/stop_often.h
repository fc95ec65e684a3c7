/* preload/stop_often: the option stop_every_us, for tests: a thread that does nothing but stop the others. */
#ifndef PRELOAD_STOP_OFTEN_H
#define PRELOAD_STOP_OFTEN_H

void stop_often_start(void);

#endif
