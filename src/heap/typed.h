/*
 * heap/typed: the table of types that blocks may have, as ownership makes it (src/own/types.c), at image->types. A block's
 * type is one more than its index here, in its span's COLUMN_TYPE.
 */
#ifndef HEAP_TYPED_H
#define HEAP_TYPED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { TYPED_CHUNK = 256, TYPED_CHUNKS_MAX = 256 };

struct typed_entry {
    void *type; /* the program's description, in its own memory */
    _Atomic uint64_t made;
    _Atomic uint64_t current;
    _Atomic uint64_t current_bytes;
    _Atomic uint64_t peak;
    _Atomic uint64_t peak_bytes;
    uint64_t size_bytes; /* of an object */
    char name[72];
};

struct typed_table {
    uint32_t count;
    struct typed_entry *chunks[TYPED_CHUNKS_MAX];
};

/* The entry of a type, or NULL. Good on a copy of the image, too, whose chunks may be missing. */
static inline const struct typed_entry *typed_entry(const struct typed_table *table, uint32_t type)
{
    if (table == NULL || type == 0 || type > __atomic_load_n(&table->count, __ATOMIC_ACQUIRE))
        return NULL;
    const struct typed_entry *chunk = table->chunks[(type - 1) / TYPED_CHUNK];
    return chunk != NULL ? &chunk[(type - 1) % TYPED_CHUNK] : NULL;
}

/* Its name; "" if it has none. */
static inline const char *typed_name(const struct typed_table *table, uint32_t type)
{
    const struct typed_entry *entry = typed_entry(table, type);
    return entry != NULL ? entry->name : "";
}

#endif
