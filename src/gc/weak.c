/*
 * gc/weak: references that do not hold what they refer to.
 *
 * Uses base, heap. Locks: the ledger's.
 */
#include "gc/weak.h"

#include "base/compiler.h"
#include "gc/ledger.h"
#include "heap/allocate.h"
#include "heap/lookup.h"

#include <errno.h>
#include <stdatomic.h>

struct gca_weak_ref {
    _Atomic uintptr_t hidden; /* the address; what NULL hides as once it is cleared */
    uintptr_t hidden_self;    /* tells a reference from a block that was one */
};

/*
 * A collection may clear the reference at any moment, but it finds what is in a register. So the address counts if the
 * reference still held it when it was in one already.
 */
void *weak_get(const struct gca_weak_ref *reference)
{
    uintptr_t hidden = atomic_load_explicit(&reference->hidden, memory_order_relaxed);
    for (;;) {
        void *address = ledger_reveal(hidden);
        __asm__ volatile("" : "+r"(address) : : "memory"); /* from here on it is not known where it came from */
        uintptr_t again = atomic_load_explicit(&reference->hidden, memory_order_acquire);
        if (LIKELY(again == hidden))
            return address;
        hidden = again;
    }
}

int weak_new(void *address, struct gca_weak_ref **reference_out)
{
    struct block block;
    if (!heap_contains(address) || !lookup_block(address, &block) || !block_is_allocated(&block))
        return -EINVAL;
    struct gca_weak_ref *reference = heap_allocate_leaf(sizeof *reference);
    if (reference == NULL)
        return -ENOMEM;
    atomic_store_explicit(&reference->hidden, ledger_hide(address), memory_order_relaxed);
    reference->hidden_self = ledger_hide(reference);
    struct block own;
    lookup_block(reference, &own);
    ledger_watch(&own);
    struct ledger_entry entry = {.hidden_block = ledger_hide((void *)block.start),
                                 .data = (void *)ledger_hide(reference)};
    ledger_lock();
    int result = ledger_add(&block, &entry);
    ledger_unlock();
    HOLD(address); /* nothing else may: it must not be collected before its entry is there */
    if (result == 0)
        *reference_out = reference;
    else
        heap_free(reference);
    return result;
}

void weak_clear(struct gca_weak_ref *reference)
{
    atomic_store_explicit(&reference->hidden, ledger_hide(NULL), memory_order_release);
}

/* May be any block of the program's, at least 16 bytes large as they all are. */
uintptr_t weak_hidden_block(const void *block)
{
    const struct gca_weak_ref *reference = block;
    if (reference->hidden_self != ledger_hide(block))
        return 0;
    const void *address = ledger_reveal(atomic_load_explicit(&reference->hidden, memory_order_relaxed));
    struct block target;
    return heap_contains(address) && lookup_block(address, &target) ? ledger_hide((void *)target.start) : 0;
}

static bool clear_unreached(struct ledger_entry *entry, void *unused)
{
    (void)unused;
    if (entry->finalizer != NULL || !ledger_is_unreached(ledger_reveal(entry->hidden_block)))
        return false;
    weak_clear(ledger_reveal((uintptr_t)entry->data));
    return true;
}

void weak_clear_unreached(void)
{
    ledger_each(clear_unreached, NULL);
}

static bool forget_unreached(struct ledger_entry *entry, void *unused)
{
    (void)unused;
    return entry->finalizer == NULL && ledger_is_unreached(ledger_reveal((uintptr_t)entry->data));
}

void weak_forget_unreached(void)
{
    ledger_each(forget_unreached, NULL);
}
