/*
 * gcalloc/gc.h in a program that links the library and runs with the option gc.
 *
 * Addresses are kept in disguise, so that only what the test says holds a block. A stray copy may be left in a register or on
 * the stack, so many blocks are used and few may be missed.
 */
#include "gcalloc/arena.h"
#include "gcalloc/gc.h"
#include "gcalloc/heap.h"
#include "support/require.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1000, STRAY_MAX = 20 };

static uintptr_t hidden[COUNT];

static void *reveal(int i)
{
    return (void *)~hidden[i];
}

__attribute__((noinline)) static void make(size_t size)
{
    for (int i = 0; i < COUNT; i++) {
        void *block = malloc(size);

        memset(block, 0, size);
        hidden[i] = ~(uintptr_t)block;
    }
}

__attribute__((noinline)) static int count_blocks(void)
{
    int found = 0;

    for (int i = 0; i < COUNT; i++)
        found += gca_is_block(reveal(i));
    return found;
}

/* Overwrites what calls have left below. */
__attribute__((noinline)) static void clean_stack(void)
{
    volatile char space[20000];

    for (size_t i = 0; i < sizeof space; i++)
        space[i] = 0;
}

static void collect(void)
{
    clean_stack();
    require(gca_collect() == 0);
}

static void lost_blocks_are_freed(size_t size)
{
    gca_gc_stats before, after;

    require(gca_gc_get_stats(&before) == 0);
    make(size);
    collect();
    require(count_blocks() <= STRAY_MAX);
    require(gca_gc_get_stats(&after) == 0);
    require(after.collections > before.collections);
    require(after.freed_blocks >= before.freed_blocks + COUNT - STRAY_MAX);
    require(after.freed_bytes >= before.freed_bytes + (COUNT - STRAY_MAX) * size);
    require(after.pause_ns_total >= before.pause_ns_total + after.pause_ns_last);
    require(after.pause_ns_max >= after.pause_ns_last && after.pause_ns_total >= after.mark_ns_total);
    require(gca_heap_verify() == 0);
}

static void pinned_blocks_stay(void)
{
    make(100);
    for (int i = 0; i < COUNT; i++) {
        require(gca_pin((char *)reveal(i) + 7) == 0);
        require(gca_pin((char *)reveal(i) + 7) == 0);
    }
    collect();
    require(count_blocks() == COUNT);
    for (int i = 0; i < COUNT; i++)
        require(gca_unpin((char *)reveal(i) + 7) == 0);
    collect();
    require(count_blocks() == COUNT);
    for (int i = 0; i < COUNT; i++)
        require(gca_unpin((char *)reveal(i) + 7) == 0);
    collect();
    require(count_blocks() <= STRAY_MAX);
    require(gca_unpin(hidden) == -ENOENT);
}

static void added_roots_hold(void)
{
    void **table = gca_alloc_leaf(COUNT * sizeof *table); /* not searched by itself */

    make(60);
    for (int i = 0; i < COUNT; i++)
        table[i] = reveal(i);
    require(gca_roots_add(table, COUNT * sizeof *table) == 0);
    collect();
    require(count_blocks() == COUNT);
    require(gca_roots_remove(table) == 0);
    require(gca_roots_remove(table) == -ENOENT);
    collect();
    require(count_blocks() <= STRAY_MAX);
    free(table);
}

static void disabled_means_asked_only(void)
{
    gca_gc_stats before, after;

    require(gca_gc_get_stats(&before) == 0);
    gca_gc_disable();
    gca_gc_disable();
    gca_gc_enable();
    for (int i = 0; i < 100; i++)
        hidden[0] = ~(uintptr_t)memset(malloc(1 << 20), 1, 1 << 20);
    require(gca_gc_get_stats(&after) == 0);
    require(after.collections == before.collections);
    collect();
    require(gca_gc_get_stats(&after) == 0);
    require(after.collections == before.collections + 1 && after.live_bytes < 10 << 20);
    gca_gc_enable();
    for (int i = 0; i < 100; i++)
        hidden[0] = ~(uintptr_t)memset(malloc(1 << 20), 1, 1 << 20);
    require(gca_gc_get_stats(&before) == 0);
    require(before.collections > after.collections);
}

static uint64_t told_begins, told_ends, told_ns;

static void on_pause(bool is_end, uint64_t pause_ns, void *data)
{
    require(data == hidden && (is_end || pause_ns == 0));
    told_begins += !is_end;
    told_ends += is_end;
    told_ns += pause_ns;
}

static void pauses_are_told_and_counted(void)
{
    gca_gc_stats before, after;
    uint64_t in_buckets = 0;

    require(gca_gc_get_stats(&before) == 0);
    gca_pause_callback_set(on_pause, hidden);
    collect();
    collect();
    gca_pause_callback_set(NULL, NULL);
    require(gca_gc_get_stats(&after) == 0);
    collect();
    require(told_begins >= 2 && told_ends == told_begins && told_ns > 0);
    require(after.pauses == before.pauses + told_ends);
    require(after.pause_ns_total == before.pause_ns_total + told_ns);
    for (int i = 0; i < GCA_PAUSE_BUCKETS; i++)
        in_buckets += after.pause_buckets[i];
    require(in_buckets == after.pauses);
}

static void figures_add_up(void)
{
    gca_gc_stats before, after;

    collect();
    require(gca_gc_get_stats(&before) == 0);
    make(200);
    collect();
    require(gca_gc_get_stats(&after) == 0);
    require(after.young.collections + after.full.collections == after.collections);
    require(after.young.freed_bytes + after.full.freed_bytes == after.freed_bytes);
    require(after.allocated_bytes >= before.allocated_bytes + (COUNT - STRAY_MAX) * 200);
    require(after.allocation_rate > 0 && after.heap_bytes >= after.live_bytes / 2);
    require(after.full.survived_permille < 1000 && after.fragmented_permille <= 1000);
    require(after.full.candidate_bytes >= after.full.freed_bytes && after.full.time_ns > before.full.time_ns);
}

enum { ARENAS = 100, IN_ARENA = COUNT / ARENAS };

/* An address in a chunk that is not the first is all that leads to each arena. */
__attribute__((noinline)) static void fill_arenas(char **inner)
{
    for (int i = 0; i < ARENAS; i++) {
        gca_arena *arena = gca_arena_new(NULL);

        for (int j = 0; j < IN_ARENA; j++)
            *gca_arena_make(arena, void *) = reveal(i * IN_ARENA + j);
        inner[i] = (char *)gca_arena_alloc(arena, 50000) + 100;
    }
}

static void arenas_hold_and_are_held(void)
{
    static char *inner[ARENAS];
    gca_heap_stats stats;

    make(100);
    fill_arenas(inner);
    collect();
    require(count_blocks() == COUNT);
    for (int i = 0; i < ARENAS; i++)
        require(gca_arena_of(inner[i]) != NULL);
    memset(inner, 0, sizeof inner);
    collect();
    require(count_blocks() <= STRAY_MAX + 2 * IN_ARENA);
    require(gca_heap_get_stats(&stats) == 0 && stats.chunks <= 2 * 4);
    require(gca_heap_verify() == 0);
}

/* With the option shadow: what was hidden is overwritten, never handed out again, and to free it is reported. */
static void freed_in_the_shadow(void)
{
    int overwritten = 0;

    make(100);
    collect();
    for (int i = 0; i < COUNT; i++)
        overwritten += *(unsigned char *)reveal(i) == 0xdb && ((unsigned char *)reveal(i))[99] == 0xdb;
    require(overwritten >= COUNT - STRAY_MAX);
    for (int i = 0; i < 10 * COUNT; i++) {
        char *block = malloc(100);

        require(block < (char *)reveal(0) || block >= (char *)reveal(0) + 100);
    }
    for (int i = 0; i < COUNT; i++)
        if (*(unsigned char *)reveal(i) == 0xdb)
            free(reveal(i));
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "shadow") == 0) {
        freed_in_the_shadow();
        return 0;
    }
    if (count > 1) { /* without the option */
        gca_gc_stats stats;

        require(gca_collect() == -EOPNOTSUPP);
        require(gca_gc_get_stats(&stats) == 0 && stats.collections == 0);
        return 0;
    }
    require(gca_gc_get_stats(NULL) == -EINVAL);
    lost_blocks_are_freed(40);
    lost_blocks_are_freed(3000);
    lost_blocks_are_freed(70000);
    pinned_blocks_stay();
    added_roots_hold();
    arenas_hold_and_are_held();
    pauses_are_told_and_counted();
    figures_add_up();
    disabled_means_asked_only();
    return 0;
}
