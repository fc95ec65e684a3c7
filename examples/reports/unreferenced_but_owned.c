/*
 * unreferenced_but_owned: a cache that owns its entries drops one from its table, and forgets that it still owns it.
 *
 * Not a leak by the usual reckoning, since the entry goes when the cache does; but until then nothing can find it. Only who knows both the
 * owners and what points where can say so. It says:
 *
 *     gcalloc: audit: 1 finding
 *       0x7f31c0 (40 bytes, struct entry) is unreferenced, but owned by 0x7f3180 (64 bytes, struct cache)
 */
#include <gcalloc.h>
#include <stdio.h>
#include <string.h>

struct entry {
    char key[32];
    long value;
};

struct cache {
    struct entry *entries[8];
};

GCA_TYPE(struct entry);
GCA_TYPE(struct cache);

static struct cache *cache;

static __attribute__((noinline)) int cache_put(int place, const char *key, long value)
{
    struct entry *entry = gca_new(struct entry);
    if (entry == NULL || gca_own(entry, cache) != 0)
        return -1;
    snprintf(entry->key, sizeof entry->key, "%s", key);
    entry->value = value;
    cache->entries[place] = entry;
    return 0;
}

/* The mistake: gca_drop(cache->entries[place]) is missing. */
static __attribute__((noinline)) void cache_remove(int place)
{
    cache->entries[place] = NULL;
}

/* What calls leave behind below would count as pointers, were it still there. */
static __attribute__((noinline)) void overwrite_stack(void)
{
    volatile char bytes[8192];
    memset((char *)bytes, 0, sizeof bytes);
}

int main(void)
{
    cache = gca_new(struct cache);
    if (cache == NULL || cache_put(0, "kept", 1) != 0 || cache_put(1, "removed", 2) != 0)
        return 1;
    cache_remove(1);
    overwrite_stack();
    gca_audit_report();
    gca_drop(cache);
    return 0;
}
