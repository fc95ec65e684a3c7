/*
 * own/repeats: reports that say the same again. A mistake in a loop is one mistake: it is reported once for each pair of
 * places, and at the end is told how often it happened.
 */
#ifndef OWN_REPEATS_H
#define OWN_REPEATS_H

#include "own/self.h"

#include <stdbool.h>

/* Whether the same title has been reported of the same places before; then it is counted. */
bool repeats_take(const struct own_report *report, const char *title);

/* In the child of a fork. */
void repeats_reset(void);

/* Says how often what was reported happened again. */
void repeats_say(void);

#endif
