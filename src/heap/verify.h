/*
 * heap/verify: walks every table of the heap and checks every invariant. Other threads should be quiet.
 */
#ifndef HEAP_VERIFY_H
#define HEAP_VERIFY_H

/* Returns NULL, or what is wrong first. */
const char *heap_verify(void);

#endif
