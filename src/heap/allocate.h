/*
 * heap/allocate: allocating and freeing, as malloc and free do it but without errno.
 *
 * The inline functions are the fast paths, in full: what is not here is a tail call to a function that starts over.
 * Thread-safe, not async-signal-safe. Allocation returns NULL when memory is short or the size is absurd.
 */
#ifndef HEAP_ALLOCATE_H
#define HEAP_ALLOCATE_H

#include "base/compiler.h"
#include "heap/thread.h"
#include "heap/unit.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The slow and the unusual cases. They are reached by tail calls, so what they would return to is the program: that is
 * what a report names as the caller.
 */
void *heap_allocate_slowly(size_t size_bytes);
void heap_free_slowly(void *pointer);

/* A block that is not of the calling thread's spans: another thread's, or a large one. */
void heap_free_elsewhere(void *pointer);

/* As heap_allocate(), reading as zero. */
void *heap_allocate_zeroed(size_t size_bytes);

/* As heap_allocate(), aligned to a power of two. */
void *heap_allocate_aligned(size_t size_bytes, size_t align_bytes);

/* A run of units of its own, whatever the size, which is not 0. */
void *heap_allocate_large(size_t size_bytes);

/* A block that will hold no pointers. */
void *heap_allocate_leaf(size_t size_bytes);

/*
 * Resizes a block of ours or of libc's; pointer is not NULL. A size of 0 frees it, and *block_out is NULL. Returns 0;
 * -ENOMEM, with the block as before; or -EINVAL, when the pointer is wrong and was reported.
 */
int heap_resize(void *pointer, size_t size_bytes, void *caller, void **block_out);

/* How much the size that comes with a free can be trusted to say of the block. */
enum sized_rule {
    SIZED_EXACT,   /* operator delete: the size of the operator new */
    SIZED_AT_MOST, /* aligned, or maybe shrunk by realloc: the block may be larger */
};

/* heap_free_sized() of any block and any size; reports when the size can't be the block's. */
void heap_free_sized_slowly(void *pointer, size_t size_bytes, enum sized_rule rule, void *caller);

/* Takes the newest entry of a buffer that is not empty. */
static ALWAYS_INLINE void *buffer_take(struct buffer *buffer)
{
    struct entry *entry = buffer->top - 1;
    void *slot = entry->slot;
    buffer->top = entry;
    HOLD(slot); /* before it counts as allocated */
    slot_state_set(entry->state, buffer->allocated_state);
    return slot;
}

/* The class's buffer when it has an entry, or NULL. */
static ALWAYS_INLINE struct buffer *buffer_ready(size_t class_index)
{
    struct buffer *buffer = &heap_self->buffers[class_index];
    return LIKELY(buffer->top != buffer->base) ? buffer : NULL;
}

/* Any size. Size 0 wraps around and goes the slow way. */
static ALWAYS_INLINE void *heap_allocate(size_t size_bytes)
{
    if (UNLIKELY(!class_is_quick(size_bytes)))
        return heap_allocate_slowly(size_bytes);
    struct buffer *buffer = buffer_ready(class_of(size_bytes));
    return LIKELY(buffer != NULL) ? buffer_take(buffer) : heap_allocate_slowly(size_bytes);
}

/* False for every address while each free() is to take a slow path. */
static ALWAYS_INLINE bool heap_frees_quickly(const void *address)
{
    return heap_offset(address) < atomic_load_explicit(&heap_layout.quick_limit_bytes, memory_order_relaxed);
}

/*
 * The unit is of a span of this heap, the calling thread's. One compare of the state catches whatever is unusual about the
 * block, a double free among it.
 *
 * The next malloc() waits until it is known to which buffer's top this stores, which may be its own. So the way to that address is as short
 * as it can be: sums that the processor makes as it loads and stores, each apart from what the other accesses have in common.
 */
static ALWAYS_INLINE void heap_free_own(void *pointer, const struct unit *unit, struct thread_heap *heap)
{
    uintptr_t by_address = heap_layout.units_by_address;
    size_t offset = ((const struct unit *)(by_address + apart(unit_distance(pointer))))->buffer_offset;
    struct slot_position position = unit_slot_position(unit, pointer);
    uint8_t *state = unit->states + position.index;
    if (UNLIKELY(!position.is_start) || UNLIKELY(!slot_is_plain(slot_state_get(state))))
        return heap_free_slowly(pointer);
    struct buffer *buffer = (struct buffer *)((char *)heap + offset);
    struct entry *top = buffer->top;
    if (UNLIKELY(top == buffer->limit))
        return heap_free_slowly(pointer);
    ((struct buffer *)((char *)heap + apart(offset)))->top = top + 1;
    top->slot = pointer;
    top->state = state;
    slot_state_set(state, SLOT_FREE);
    HOLD(pointer); /* while it counted as allocated */
}

/* The owner test comes first: only then do the unit's other fields mean anything. */
static ALWAYS_INLINE void heap_free(void *pointer)
{
    if (UNLIKELY(!heap_frees_quickly(pointer)))
        return heap_free_slowly(pointer);
    struct unit *unit = unit_at(pointer);
    struct thread_heap *heap = heap_self;
    if (UNLIKELY(atomic_load_explicit(&unit->owner, memory_order_relaxed) != heap))
        return heap_free_elsewhere(pointer);
    heap_free_own(pointer, unit, heap);
}

/* Frees a block that the program says has this size. The usual case is one of the very class that the slot is of. */
static ALWAYS_INLINE void heap_free_sized(void *pointer, size_t size_bytes, enum sized_rule rule, void *caller)
{
    if (UNLIKELY(!heap_frees_quickly(pointer) || !class_exists(size_bytes)))
        return heap_free_sized_slowly(pointer, size_bytes, rule, caller);
    struct unit *unit = unit_at(pointer);
    struct thread_heap *heap = heap_self;
    if (UNLIKELY(atomic_load_explicit(&unit->owner, memory_order_relaxed) != heap ||
                 unit->class_index != class_of(size_bytes)))
        return heap_free_sized_slowly(pointer, size_bytes, rule, caller);
    heap_free_own(pointer, unit, heap);
}

#endif
