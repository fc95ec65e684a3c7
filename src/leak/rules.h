/*
 * leak/rules: the rule of each code address, remembered for all threads.
 *
 * Takes no lock, allocates nothing, and is async-signal-safe.
 */
#ifndef LEAK_RULES_H
#define LEAK_RULES_H

#include "base/compiler.h"
#include "leak/rule.h"
#include "leak/tables.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_CACHE_BITS = 16, RULE_CACHE_ENTRIES = 1 << RULE_CACHE_BITS };

/*
 * An address and its rule. Written and read without a lock: the first word is the address exclusive-or the rule, so a
 * mixture of two entries fits no address.
 */
struct rule_entry {
    _Atomic uint64_t mixed;
    _Atomic uint64_t rule;
};

extern struct rule_entry *rule_cache;

/* How often rules were forgotten: what was found out by them before may be wrong now. */
extern _Atomic uint32_t rules_generation;

/* Once. The cache takes 1 MiB of metadata, of which is touched what is used. Returns 0 or -ENOMEM. */
int rules_start(struct module_table *modules);

/* Something may have been unloaded: forgets its rules. */
void rules_refresh(uint32_t now_ms);

/* The slow half of rules_find(). */
struct rule rules_read(uintptr_t address, uint32_t now_ms);

/* Addresses near each other share pages of the cache. Entries come in pairs. */
static inline struct rule_entry *rule_pair(uintptr_t address)
{
    return &rule_cache[((address >> 2) ^ (address >> 17)) & (RULE_CACHE_ENTRIES - 1) & ~(uintptr_t)1];
}

/* The rule at the address; RULE_STOP if there is none. now_ms is for a module that is met for the first time. */
static ALWAYS_INLINE struct rule rules_find(uintptr_t address, uint32_t now_ms)
{
    struct rule_entry *pair = rule_pair(address);
    for (int i = 0; i < 2; i++) {
        uint64_t word = atomic_load_explicit(&pair[i].rule, memory_order_relaxed);
        if (LIKELY((atomic_load_explicit(&pair[i].mixed, memory_order_relaxed) ^ word) == address))
            return (struct rule){word};
    }
    return rules_read(address, now_ms);
}

#endif
