/*
 * heap/recorder: who wants to know of every block that is handed out.
 *
 * Locks: none.
 */
#include "heap/recorder.h"

#include "heap/sizes.h"

const struct heap_recorder *heap_recorder;

void heap_recorder_register(const struct heap_recorder *recorder)
{
    heap_recorder = recorder;
    class_rule.quick_limit = 0;
}
