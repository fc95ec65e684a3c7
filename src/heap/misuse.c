/*
 * heap/misuse: one clear report of what the program did wrong.
 *
 * The target prints module and offset only; `gcalloc` and addr2line know the symbols. Reports of a program that goes on
 * are capped, since one wrong loop could fill a disk.
 *
 * Uses os, base. Locks: none.
 */
#include "heap/misuse.h"

#include "base/image.h"
#include "base/message.h"
#include "heap/layout.h"
#include "heap/lookup.h"
#include "heap/span.h"
#include "os/maps.h"
#include "os/thread.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { REPORT_BYTES = 2048, REPORTS_MAX = 100, NOTED_MAX = 32 };

static atomic_uint report_count;

atomic_uint misuse_noted;
static void *_Atomic noted[NOTED_MAX]; /* taken and emptied in any order, by any thread */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void add_place(struct text *text, const char *what, void *address)
{
    struct os_mapping mapping;
    if (address == NULL)
        return;
    if (os_mapping_find((uintptr_t)address, &mapping) == 0 && mapping.name[0] != '\0')
        text_add(text, "  %-9s  %s+0x%lx\n", what, base_name(mapping.name),
                 (uintptr_t)address - mapping.start + mapping.file_offset);
    else
        text_add(text, "  %-9s  %p\n", what, address);
}

COLD static void say(struct text *text, const char *section)
{
    text_add(text, "  see gcalloc(7), \"%s\"\n", section);
    unsigned number = atomic_fetch_add(&report_count, 1);
    if (number < REPORTS_MAX)
        message_write(text);
    else if (number == REPORTS_MAX)
        message_note("more errors like these are not reported");
}

COLD void misuse_finish(struct text *text, const char *what, void *caller, const char *section, bool is_fatal)
{
    add_place(text, what, caller);
    say(text, section);
    if (is_fatal)
        os_abort();
}

static void finish(struct text *text, const char *what, void *caller, const char *section)
{
    misuse_finish(text, what, caller, section, options_now()->on_error == ON_ERROR_ABORT);
}

static void (*describe_history)(struct text *text, const void *block);

void misuse_register_history(void (*describe)(struct text *text, const void *block))
{
    __atomic_store_n(&describe_history, describe, __ATOMIC_RELEASE);
}

static void add_history(struct text *text, const void *block)
{
    void (*describe)(struct text *, const void *) = __atomic_load_n(&describe_history, __ATOMIC_ACQUIRE);
    if (describe != NULL)
        describe(text, block);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Where an address beside a block lies. The first byte behind it is 1 past its end. */
static void add_distance(struct text *text, uintptr_t address, uintptr_t block, size_t size_bytes)
{
    bool is_before = address < block;
    size_t distance = is_before ? block - address : address - (block + size_bytes) + 1;
    text_add(text, "%zu byte%s %s a block of %zu byte%s", distance, plural(distance), is_before ? "before" : "past the end of",
             size_bytes, plural(size_bytes));
}

COLD void misuse_write_after_free(const void *block, size_t size_bytes, size_t offset_bytes, bool aborts)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: write after free of %p (%zu bytes), at offset %zu\n", block, size_bytes, offset_bytes);
    add_history(&text, block);
    say(&text, "write after free");
    if (aborts)
        os_abort();
}

COLD void misuse_write_beside(const void *block, size_t size_bytes, const void *changed, void *caller)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: write ");
    add_distance(&text, (uintptr_t)changed, (uintptr_t)block, size_bytes);
    text_add(&text, " at %p was found when it was freed\n", block);
    add_history(&text, block);
    finish(&text, "freed now", caller, "guard pages");
}

COLD void misuse_double_free(void *pointer, size_t size_bytes, void *caller)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: double free of %p (%zu bytes)\n", pointer, size_bytes);
    if (caller == NULL)
        text_add(&text, "  found late, when freed blocks were put back: two threads freed it at once\n");
    add_history(&text, pointer);
    finish(&text, "freed now", caller, "double free");
}

COLD void misuse_access_after_free(const void *address, const void *block, size_t size_bytes, void *caller)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: access of %p, which was freed: offset %zd of a block of %zu bytes at %p\n", address,
             (ptrdiff_t)((uintptr_t)address - (uintptr_t)block), size_bytes, block);
    add_history(&text, block);
    add_place(&text, "accessed", caller);
    say(&text, "use after free");
}

COLD void misuse_access_beside(const void *address, const void *block, size_t size_bytes, void *caller)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: access of %p: ", address);
    add_distance(&text, (uintptr_t)address, (uintptr_t)block, size_bytes);
    text_add(&text, " at %p\n", block);
    add_history(&text, block);
    add_place(&text, "accessed", caller);
    say(&text, "guard pages");
}

/* What finds no place is not reported: those that did say enough. The count goes last. */
COLD void misuse_note_double_free(void *pointer)
{
    void *none = NULL;
    for (int i = 0; i < NOTED_MAX; i++, none = NULL)
        if (atomic_compare_exchange_strong_explicit(&noted[i], &none, pointer, memory_order_relaxed, memory_order_relaxed))
            break;
    atomic_fetch_add_explicit(&misuse_noted, 1, memory_order_release);
}

/* The count goes first: what is noted meanwhile is found now or by the next call. */
COLD void misuse_report_noted_now(void)
{
    atomic_exchange_explicit(&misuse_noted, 0, memory_order_acquire);
    for (int i = 0; i < NOTED_MAX; i++) {
        void *pointer = atomic_exchange_explicit(&noted[i], NULL, memory_order_relaxed);
        if (pointer != NULL)
            misuse_double_free(pointer, unit_at(pointer)->slot_bytes, NULL);
    }
}

static void (*describe_live_chunk)(struct text *text, const void *address);

void misuse_register_chunks(void (*describe)(struct text *text, const void *address))
{
    __atomic_store_n(&describe_live_chunk, describe, __ATOMIC_RELEASE);
}

/* An address in a unit that is, or was last, an arena's or a pool's. */
static void describe_chunk(struct text *text, const void *pointer, bool is_live)
{
    void (*describe)(struct text *, const void *) = __atomic_load_n(&describe_live_chunk, __ATOMIC_ACQUIRE);
    const char *what = unit_at(pointer)->use == USE_POOL ? "a pool" : "an arena";
    if (!is_live)
        text_add(text, "memory of %s that is gone", what);
    else if (describe != NULL)
        describe(text, pointer);
    else
        text_add(text, "memory of %s", what);
}

/* What a wrong pointer points to. */
static void describe_inside(struct text *text, const void *pointer)
{
    struct block block;
    bool is_found = lookup_block(pointer, &block);
    if (is_found ? block.use != USE_MALLOC : unit_at(pointer)->use != USE_MALLOC)
        describe_chunk(text, pointer, is_found && slot_is_allocated(block.state));
    else if (!is_found)
        text_add(text, "never allocated");
    else if (block.start != (uintptr_t)pointer)
        text_add(text, "inside a %sblock of %zu bytes at %p", block_is_allocated(&block) ? "" : "free ",
                 block.size_bytes, (void *)block.start);
    else
        text_add(text, "never allocated");
}

static void describe_outside(struct text *text, const void *pointer)
{
    if (layout_owns(pointer)) {
        text_add(text, "never allocated");
        return;
    }
    struct os_mapping mapping;
    int result = os_mapping_find((uintptr_t)pointer, &mapping);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (result == -ENOENT)
        text_add(text, "not in any heap: unmapped memory");
    else if (result != 0)
        text_add(text, "not in any heap");
    else if (strcmp(mapping.name, "[stack]") == 0 || (here >= mapping.start && here < mapping.end))
        text_add(text, "not in any heap: a stack");
    else if (mapping.name[0] == '/')
        text_add(text, "not in any heap: %s of %s", mapping.executable ? "code" : "static data",
                 base_name(mapping.name));
    else
        text_add(text, "not in any heap: %s", mapping.name[0] != '\0' ? mapping.name : "mapped memory");
}

static void report_invalid_free(void *pointer, void *caller, void (*describe)(struct text *text, const void *pointer))
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: invalid free of %p: ", pointer);
    describe(&text, pointer);
    text_add(&text, "\n");
    finish(&text, "freed now", caller, "invalid free");
}

COLD void misuse_invalid_free(void *pointer, void *caller)
{
    report_invalid_free(pointer, caller, describe_inside);
}

/* A unit that held the block when it was freed first still knows its slots. */
static bool was_block(const void *pointer, const struct unit *unit)
{
    if (unit->slot_bytes == 0 || unit->use != USE_MALLOC)
        return false;
    return unit->reciprocal != 0 ? unit_slot_position(unit, pointer).is_start : unit->start == (uintptr_t)pointer;
}

COLD void misuse_free_of_free_unit(void *pointer, const struct unit *unit, void *caller)
{
    struct block block;
    if (!lookup_block(pointer, &block) && was_block(pointer, unit))
        misuse_double_free(pointer, unit->slot_bytes, caller);
    else
        misuse_invalid_free(pointer, caller);
}

COLD void misuse_foreign_free(void *pointer, void *caller)
{
    report_invalid_free(pointer, caller, describe_outside);
}

COLD void misuse_sized_free(void *pointer, size_t block_bytes, size_t size_bytes, void *caller)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: error: sized delete of %p: block of %zu bytes deleted as %zu bytes\n", pointer,
             block_bytes, size_bytes);
    finish(&text, "freed now", caller, "sized delete");
}

COLD void misuse_resize(void *pointer, void *caller)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct block block;
    bool is_block = heap_contains(pointer) && lookup_block(pointer, &block) && block.start == (uintptr_t)pointer &&
                    block.state != SLOT_FRESH && block.use == USE_MALLOC;
    const struct unit *unit = heap_contains(pointer) ? unit_at(pointer) : NULL;
    if (is_block || (unit != NULL && unit->kind == UNIT_FREE && was_block(pointer, unit))) {
        text_add(&text, "gcalloc: error: realloc of freed %p (%zu bytes)\n", pointer,
                 is_block ? block.size_bytes : unit->slot_bytes);
    } else {
        text_add(&text, "gcalloc: error: invalid realloc of %p: ", pointer);
        if (unit != NULL)
            describe_inside(&text, pointer);
        else
            describe_outside(&text, pointer);
        text_add(&text, "\n");
    }
    finish(&text, "called now", caller, "invalid realloc");
}

COLD void misuse_other(const char *section, void *caller, const char *format, ...)
{
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    va_list arguments;
    text_add(&text, "gcalloc: error: ");
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    text_add(&text, "\n");
    finish(&text, "called now", caller, section);
}
