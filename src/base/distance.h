/*
 * base/distance: how far it is to the next of a series of random events.
 */
#ifndef BASE_DISTANCE_H
#define BASE_DISTANCE_H

#include <stdint.h>

/*
 * Drawn from the exponential distribution with this mean, and at least 1: distances of a Poisson process, which remembers nothing.
 * *random is the generator's state, any number.
 */
uint64_t distance_draw(uint64_t *random, uint64_t mean);

#endif
