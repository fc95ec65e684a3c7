/*
 * tools/dangling_text: who points to freed blocks, in words.
 */
#include "tools/dangling_text.h"

#include "heap/span.h"

#include <inttypes.h>
#include <stdio.h>

static void print_pointer(const struct places *places, const struct dangling_pointer *pointer)
{
    printf("  pointed to by ");
    if (pointer->is_in_block) {
        printf("0x%" PRIxPTR "+%zu, a block of ", pointer->holder.start, pointer->offset);
        place_print_bytes(place_block_bytes(&pointer->holder));
        place_print_site(places, &pointer->holder);
    } else {
        place_print_root(places, pointer->root);
    }
    if (pointer->value < pointer->block.start)
        printf(", %zu before it", (size_t)(pointer->block.start - pointer->value));
    else if (pointer->value != pointer->block.start)
        printf(", to its byte %zu", (size_t)(pointer->value - pointer->block.start));
    putchar('\n');
}

void dangling_print(const struct places *places, const struct block *block, const struct dangling_pointer *pointers, size_t count,
                    size_t places_max)
{
    printf("0x%" PRIxPTR ": ", block->start);
    place_print_bytes(place_block_bytes(block));
    printf(", freed%s\n", span_is_guarded(block->span) ? ", between guard pages" : "");
    if (place_has_stack(block))
        puts("  allocated by");
    place_print_stack(places, block);
    if (place_has_freed_stack(block))
        puts("  freed by");
    place_print_freed_stack(places, block);
    for (size_t i = 0; i < count && i < places_max; i++)
        print_pointer(places, &pointers[i]);
    if (count > places_max)
        printf("  pointed to by %zu more\n", count - places_max);
    if (count == 0)
        puts("  nothing points to it");
}
