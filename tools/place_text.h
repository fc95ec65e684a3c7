/* tools/place_text: places in a program, in words on standard output: code, variables, stacks, blocks. */
#ifndef TOOLS_PLACE_TEXT_H
#define TOOLS_PLACE_TEXT_H

#include "heap/lookup.h"
#include "tools/examine.h"
#include "tools/frames.h"
#include "tools/names.h"
#include "tools/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places {
    const struct snapshot *snapshot;
    struct names *names;
    struct frames *frames;
};

/* The snapshot outlives them. */
struct places places_open(const struct snapshot *snapshot);
void places_close(struct places *places);

void place_print_bytes(size_t bytes);

/* What the program asked for, where that is recorded; else what the block's slot has. */
size_t place_block_bytes(const struct block *block);

/* What the program has said that it is, behind a comma. */
void place_print_type(const struct block *block);

/* Where the block was allocated: three frames in the rest of a line; or all of them, a line each, when it is known at all. */
void place_print_site(const struct places *places, const struct block *block);
bool place_has_stack(const struct block *block);
void place_print_stack(const struct places *places, const struct block *block);

/* The same of where a freed block was freed. */
bool place_has_freed_stack(const struct block *block);
void place_print_freed_stack(const struct places *places, const struct block *block);

void place_print_root(const struct places *places, struct root_place place);

/* NULL when nothing is mapped there. */
const struct target_map *place_map_of(const struct snapshot *snapshot, uintptr_t address);

/* The thread on whose stack the address lies, or whose control block is near it; SIZE_MAX if none. */
size_t place_thread_at(const struct snapshot *snapshot, uintptr_t address, bool *is_local_out);

#endif
