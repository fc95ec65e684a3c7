/*
 * heap/birth: when a block was allocated.
 *
 * Locks: none of its own.
 */
#include "heap/birth.h"

#include "base/invariant.h"
#include "heap/thread.h"

void birth_apply(struct thread_heap *heap)
{
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        heap->buffers[i].allocated_state = birth_state_now();
}

static void apply(struct thread_heap *heap, void *context)
{
    (void)context;
    birth_apply(heap);
}

void heap_birth_set(uint32_t birth)
{
    INVARIANT(birth < BIRTH_COUNT);
    image_now->birth = birth;
    thread_heap_each(apply, NULL);
}
