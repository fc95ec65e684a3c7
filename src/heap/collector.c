/*
 * heap/collector: what the heap asks of a collector, if there is one.
 *
 * Locks: none.
 */
#include "heap/collector.h"

const struct heap_collector *heap_collector;
const struct heap_quarantine *heap_quarantine;
