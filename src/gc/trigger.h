/*
 * gc/trigger: what makes a cycle begin.
 */
#ifndef GC_TRIGGER_H
#define GC_TRIGGER_H

/*
 * From now on the heap is collected when it has grown, as the options say. Called once, if at all, by the main thread
 * before there are others. Returns 0, or -errno and nothing is ever collected.
 */
int trigger_start(void);

#endif
