/*
 * tools/why_text: what holds a block, in words.
 */
#include "tools/why.h"

#include "os/maps.h"
#include "tools/dangling.h"
#include "tools/dangling_text.h"
#include "tools/graph.h"
#include "tools/say.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_STEPS = 8 };

/* ---- roots ---- */

enum { RANK_VARIABLE, RANK_THREAD_LOCAL, RANK_STACK, RANK_MAPPING, RANK_KERNEL, RANK_REGISTER, RANK_UNKNOWN };

static const struct snapshot *ranked; /* graph_rank has no context */

static unsigned rank(struct root_place place)
{
    bool is_local;
    const struct target_map *map = place.kind == ROOT_MEMORY ? place_map_of(ranked, place.address) : NULL;
    switch (place.kind) {
    case ROOT_MEMORY:
        if (map != NULL && (map->kind == OS_MAP_FILE || (map > ranked->maps.entries && map[-1].kind == OS_MAP_FILE &&
                                                         map[-1].end == map->start && map->kind == OS_MAP_PRIVATE)))
            return RANK_VARIABLE;
        if (place_thread_at(ranked, place.address, &is_local) != SIZE_MAX)
            return is_local ? RANK_THREAD_LOCAL : RANK_STACK;
        return RANK_MAPPING;
    case ROOT_EPOLL:
    case ROOT_TIMER:
    case ROOT_PINNED:
        return RANK_KERNEL;
    case ROOT_REGISTER:
    case ROOT_STACK_POINTER:
        return RANK_REGISTER;
    default:
        return RANK_UNKNOWN;
    }
}

/* ---- the way ---- */

static void print_block(const struct why *why, const struct block *block, uintptr_t value)
{
    printf("0x%" PRIxPTR "  ", block->start);
    place_print_bytes(place_block_bytes(block));
    place_print_type(block);
    if (value != 0 && value != block->start)
        printf(", by its byte %zu", (size_t)(value - block->start));
    place_print_site(&why->places, block);
    putchar('\n');
}

static void print_way(const struct why *why, const struct graph_answer *answer)
{
    size_t skipped_from = answer->step_count, skipped_to = answer->step_count;
    if (!why->is_whole && answer->step_count > 2 * SHOWN_STEPS + 1) {
        skipped_from = SHOWN_STEPS;
        skipped_to = answer->step_count - SHOWN_STEPS;
    }
    printf("held by ");
    place_print_root(&why->places, answer->root);
    putchar('\n');
    for (size_t i = 0; i < answer->step_count; i++) {
        if (i == skipped_from) {
            printf("      ... %zu more\n", skipped_to - skipped_from);
            i = skipped_to;
        }
        if (i == 0)
            printf("      -> ");
        else
            printf("  +%-4zu-> ", answer->steps[i - 1].offset);
        print_block(why, &answer->steps[i].block, i == 0 ? answer->root_value : answer->steps[i - 1].value);
    }
}

static void print_reachable(const struct why *why, const struct graph_answer *answer)
{
    print_way(why, answer);
    if (answer->dominator < answer->step_count) {
        printf("without 0x%" PRIxPTR " it would be lost: every way leads through that\n",
               answer->steps[answer->dominator].block.start);
    } else if (answer->step_count > 1) {
        printf("several ways lead to it that share no block\n");
    }
    printf("freed with it: %zu block%s, ", answer->freed.blocks, answer->freed.blocks == 1 ? "" : "s");
    place_print_bytes(answer->freed.bytes);
    puts(" of heap");
}

static void print_lost(const struct why *why, const struct graph_answer *answer)
{
    if (answer->holder_count == 0) {
        printf("lost: nothing holds its address\n");
        return;
    }
    printf("lost: only blocks that are lost themselves hold its address\n");
    for (size_t i = 0; i < answer->holder_count; i++) {
        printf("  at +%-4zu of ", answer->holders[i].offset);
        print_block(why, &answer->holders[i].block, 0);
    }
}

/* One that is freed, and held: what points to it. */
static int answer_freed(const struct why *why, const struct block *block)
{
    enum { PLACES_SHOWN = 64 };
    struct dangling dangling;
    if (dangling_find(block, &dangling) != 0) {
        say_error("not enough memory");
        return STATUS_FAILED;
    }
    dangling_print(&why->places, block, dangling.pointers, dangling.count, why->is_whole ? SIZE_MAX : PLACES_SHOWN);
    dangling_free(&dangling);
    return STATUS_DONE;
}

static int no_block(const struct why *why, uintptr_t address)
{
    struct block block;
    if (lookup_block((const void *)address, &block))
        say_error("0x%" PRIxPTR ": free, in a slot of %zu bytes", address, block.size_bytes);
    else if (heap_copy_owns(&why->places.snapshot->heap, address))
        say_error("0x%" PRIxPTR ": free memory of the heap", address);
    else
        say_error("0x%" PRIxPTR ": not in the heap", address);
    return STATUS_FAILED;
}

int why_answer(struct why *why, uintptr_t address)
{
    struct block block;
    struct graph_answer answer;
    ranked = why->places.snapshot;
    if (dangling_block_at(address, &block))
        return answer_freed(why, &block);
    if (!graph_block_at(address, &block))
        return no_block(why, address);
    if (graph_ask(&block, rank, &answer) != 0) {
        say_error("not enough memory");
        return STATUS_FAILED;
    }
    printf("0x%" PRIxPTR ": ", block.start);
    place_print_bytes(place_block_bytes(&block));
    place_print_type(&block);
    if (block.use != USE_MALLOC)
        printf(", memory of an arena or pool");
    if (address != block.start)
        printf(", asked about at byte %zu", (size_t)(address - block.start));
    printf("%s\n", place_has_stack(&block) ? ", allocated by" : "");
    place_print_stack(&why->places, &block);
    if (answer.is_reachable)
        print_reachable(why, &answer);
    else
        print_lost(why, &answer);
    graph_answer_free(&answer);
    return STATUS_DONE;
}
