/*
 * bench/micro/hashmap: a chained hash table that doubles as it fills, with as many deletions as insertions once
 * full.
 */
#include "bench/micro/pattern.h"

#include <string.h>

enum { KEYS = 400000, FULL = 150000, BUCKETS_START = 16 };

struct entry {
    struct entry *next;
    uint64_t key;
    size_t value_size;
    unsigned char value[];
};

struct table {
    struct entry **buckets;
    size_t bucket_count;
    size_t count;
};

static uint64_t hash(uint64_t key)
{
    struct random random = {key};

    return random_next(&random);
}

static struct entry **place_of(struct table *table, uint64_t key)
{
    struct entry **place = &table->buckets[hash(key) & (table->bucket_count - 1)];

    while (*place != NULL && (*place)->key != key)
        place = &(*place)->next;
    return place;
}

static void resize(struct table *table, size_t bucket_count)
{
    struct entry **old = table->buckets;
    size_t old_count = table->bucket_count;

    table->buckets = calloc(bucket_count, sizeof *table->buckets);
    table->bucket_count = bucket_count;
    if (table->buckets == NULL)
        pattern_die("calloc");
    for (size_t at = 0; at < old_count; at++) {
        for (struct entry *entry = old[at], *next; entry != NULL; entry = next) {
            struct entry **place = &table->buckets[hash(entry->key) & (bucket_count - 1)];

            next = entry->next;
            entry->next = *place;
            *place = entry;
        }
    }
    free(old);
}

static void insert(struct table *table, struct entry **place, uint64_t key, size_t value_size)
{
    struct entry *entry = malloc(sizeof *entry + value_size);

    if (entry == NULL)
        pattern_die("malloc");
    *entry = (struct entry){*place, key, value_size};
    memset(entry->value, (int)(key & 0xff), value_size);
    *place = entry;
    if (++table->count > table->bucket_count)
        resize(table, 2 * table->bucket_count);
}

static uint64_t remove_at(struct table *table, struct entry **place)
{
    struct entry *entry = *place;
    uint64_t sum = entry->value[entry->value_size - 1];

    *place = entry->next;
    free(entry);
    table->count--;
    return sum;
}

int main(int argc, char **argv)
{
    struct random random = {24};
    struct table table = {NULL, 0, 0};
    uint64_t sum = 0;
    size_t steps;

    pattern_begin(argc, argv);
    steps = pattern_times(5000000);
    resize(&table, BUCKETS_START);
    for (size_t i = 0; i < steps; i++) {
        uint64_t key = random_below(&random, KEYS);
        struct entry **place = place_of(&table, key);

        if (*place != NULL)
            sum += remove_at(&table, place);
        else if (table.count < FULL)
            insert(&table, place, key, 1 + random_below(&random, 100));
    }
    /* The table is left to the end of the process, as programs do. */
    return pattern_end(sum + table.count);
}
