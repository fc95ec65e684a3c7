/*
 * leak/rules: from the tables of objects into the cache.
 *
 * Uses os, heap (metadata). Locks: none.
 */
#include "leak/rules.h"

#include "heap/metadata.h"
#include "leak/cfi.h"
#include "leak/modules.h"
#include "os/object.h"

#include <errno.h>
#include <stdbool.h>

struct rule_entry *rule_cache;
_Atomic uint32_t rules_generation;

static struct module_table *all_modules;

int rules_start(struct module_table *modules)
{
    all_modules = modules;
    rule_cache = metadata_take(RULE_CACHE_ENTRIES * sizeof *rule_cache);
    return rule_cache == NULL ? -ENOMEM : 0;
}

static void enter(uintptr_t address, struct rule rule)
{
    struct rule_entry *pair = rule_pair(address);
    bool first_is_used = atomic_load_explicit(&pair[0].rule, memory_order_relaxed) != 0;
    bool second_is_used = atomic_load_explicit(&pair[1].rule, memory_order_relaxed) != 0;
    struct rule_entry *entry = &pair[first_is_used && (!second_is_used || (address & 1) != 0)];
    atomic_store_explicit(&entry->rule, rule.word, memory_order_relaxed);
    atomic_store_explicit(&entry->mixed, address ^ rule.word, memory_order_relaxed);
}

/* Code that nobody describes: if it keeps a frame pointer, this is how. */
static struct rule rule_by_frame_pointer(void)
{
    return rule_make(RULE_PLAIN, RULE_FRAME_POINTER, 2, 2, SAVED_NOWHERE);
}

COLD struct rule rules_read(uintptr_t address, uint32_t now_ms)
{
    struct os_object object;
    struct rule rule = rule_by_frame_pointer();
    if (os_object_find(address, &object)) {
        cfi_find(&object, address, &rule);
        rule = rule_in_module(rule, modules_number(all_modules, &object, now_ms));
    }
    enter(address, rule);
    return rule;
}

/* Without a module, the rules of code that nothing described are dropped too: something may lie there now. */
static void forget(uint32_t number, void *context)
{
    (void)context;
    for (size_t i = 0; i < RULE_CACHE_ENTRIES; i++) {
        struct rule_entry *entry = &rule_cache[i];
        struct rule rule = {atomic_load_explicit(&entry->rule, memory_order_relaxed)};
        if (rule_kind(rule) != RULE_NONE && (rule_module(rule) == number || rule_module(rule) == 0)) {
            atomic_store_explicit(&entry->rule, 0, memory_order_relaxed);
            atomic_store_explicit(&entry->mixed, 0, memory_order_relaxed);
        }
    }
    atomic_fetch_add_explicit(&rules_generation, 1, memory_order_release);
}

void rules_refresh(uint32_t now_ms)
{
    modules_refresh(all_modules, now_ms, forget, NULL);
}
