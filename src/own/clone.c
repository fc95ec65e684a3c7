/*
 * own/clone: copies of objects.
 *
 * What an object holds is copied after it, from a list instead of by recursion, like ends (own/drop.c).
 *
 * Uses base, heap. Locks: none of its own.
 */
#include "heap/allocate.h"
#include "heap/collector.h"
#include "heap/lookup.h"
#include "own/export.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/own.h"

#include <errno.h>
#include <string.h>

/* A copy on its way: it has its type, and is in its place, once what its pointers hold is its own. */
struct copying {
    void *copy;
    const void *object;
    void **place; /* where the pointer to the copy goes */
};

static bool push_copy(struct pile *pile, const void *object, const struct block *block, void **place)
{
    size_t size_bytes = block_usable(block);
    void *copy = heap_allocate(size_bytes);
    *place = NULL;
    if (copy == NULL)
        return false;
    size_t count = pile->count;
    if (!pile_push(pile, copy) || !pile_push(pile, (void *)(uintptr_t)object) || !pile_push(pile, place)) {
        pile->count = count;
        heap_free(copy);
        return false;
    }
    memcpy(copy, object, size_bytes);
    heap_collector_copied(copy, size_bytes);
    *place = copy;
    heap_collector_stored(place, copy);
    return true;
}

static struct copying pop_copy(struct pile *pile)
{
    pile->count -= 3;
    void **items = pile->items + pile->count;
    return (struct copying){items[0], items[1], items[2]};
}

/* Each of the pointers gets a reference, or a copy that is on its way. After a failure the others hold nothing. */
static int copy_pointers(struct pile *pile, void *copy, const gca_type *type)
{
    int result = 0;
    for (uint32_t i = 0; i < type->pointer_count; i++) {
        struct block block;
        void **place = (void **)((char *)copy + type->pointers[i]);
        void *held = *place;
        if (result != 0)
            *place = NULL;
        else if (held != NULL && own_block(held, &block)) {
            const struct note *note = note_of(&block);
            bool is_counted = slot_is_noted(block.state) && note != NULL && note_has(note, HOLDER_COUNTED);
            if (is_counted)
                *place = gca_retain_of(held);
            else if (!push_copy(pile, held, &block, place))
                result = -ENOMEM;
        }
    }
    return result;
}

static int complete(struct pile *pile, const struct copying *copying)
{
    struct block block, copied;
    lookup_block(copying->object, &block);
    lookup_block(copying->copy, &copied);
    gca_type *type = types_of(&block);
    if (type == NULL)
        return 0;
    int result = copy_pointers(pile, copying->copy, type);
    if (result == 0 && type->clone != NULL)
        result = type->clone(copying->copy, copying->object);
    if (result == 0)
        result = note_need(&copied) != NULL ? types_set(&copied, type) : -ENOMEM;
    return result;
}

/* What is on its way goes; what is complete then ends as anything else does. */
static void take_back(struct pile *pile, const struct copying *failed)
{
    struct block block;
    lookup_block(failed->object, &block);
    while (pile->count != 0) {
        struct copying copying = pop_copy(pile);
        *copying.place = NULL;
        heap_free(copying.copy);
    }
    own_give_up_pointers(failed->copy, types_of(&block));
    *failed->place = NULL;
    heap_free(failed->copy);
}

EXPORT void *gca_clone_of(const void *object)
{
    struct block block;
    struct pile pile = {0};
    void *root = NULL;
    if (object == NULL || !own_block(object, &block)) {
        errno = EINVAL;
        return NULL;
    }
    int result = push_copy(&pile, object, &block, &root) ? 0 : -ENOMEM;
    while (result == 0 && pile.count != 0) {
        struct copying copying = pop_copy(&pile);
        result = complete(&pile, &copying);
        if (result != 0)
            take_back(&pile, &copying);
    }
    pile_free(&pile);
    if (result == 0)
        return root;
    if (root != NULL)
        own_end(root);
    errno = -result;
    return NULL;
}

EXPORT void *gca_cow_mut(gca_cow *cow)
{
    if (cow->is_owned)
        return cow->value;
    void *copy = gca_clone_of(cow->value);
    if (copy != NULL)
        *cow = gca_cow_own(copy);
    return copy;
}

EXPORT void gca_cow_drop(gca_cow *cow)
{
    if (cow->is_owned)
        gca_drop(cow->value);
    *cow = gca_cow_borrow(NULL);
}
