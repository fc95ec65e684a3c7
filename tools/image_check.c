/*
 * tools/image_check: makes a copied image safe for the library's own code.
 */
#include "tools/image_check.h"

#include "heap/span.h"
#include "heap/typed.h"
#include "heap/unit.h"
#include "leak/healed.h"
#include "leak/lives.h"
#include "leak/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_STEP_BYTES = 64 /* metadata is handed out in multiples */ };

struct checker {
    struct image *image;
    struct unit *units;
    size_t unit_count;
    uintptr_t metadata_start;
    size_t metadata_bytes;
    uint64_t *taken; /* a bit for each step of metadata that a sound span's record or a table covers */
    uint8_t *kept;   /* a byte for each unit: it is described by a sound span */
};

static bool in_metadata(const struct checker *checker, const void *piece, size_t size_bytes, size_t align_bytes)
{
    size_t offset = (uintptr_t)piece - checker->metadata_start;
    return offset < checker->metadata_bytes && size_bytes <= checker->metadata_bytes - offset &&
           (uintptr_t)piece % align_bytes == 0;
}

/* Nothing shares memory: what is written for one must not change another. */
static bool take_record(struct checker *checker, const void *record, size_t record_bytes)
{
    size_t first = ((uintptr_t)record - checker->metadata_start) / RECORD_STEP_BYTES;
    size_t last = ((uintptr_t)record + record_bytes - 1 - checker->metadata_start) / RECORD_STEP_BYTES;
    for (size_t i = first; i <= last; i++)
        if (bitmap_get(checker->taken, i))
            return false;
    for (size_t i = first; i <= last; i++)
        bitmap_set(checker->taken, i);
    return true;
}

/* ---- spans ---- */

static bool extent_is_sound(const struct checker *checker, const struct span *span, size_t index)
{
    return span->first_unit == index && span->unit_count != 0 && span->unit_count <= checker->unit_count - index;
}

static uintptr_t run_start(const struct checker *checker, const struct span *span)
{
    return checker->image->slots_start + (span->first_unit << UNIT_SHIFT);
}

static bool slots_are_sound(const struct checker *checker, const struct span *span)
{
    if (span->class_index >= CLASS_COUNT || span->slot_bytes != class_slot_bytes[span->class_index] ||
        span->unit_count != class_unit_count[span->class_index] ||
        span->slot_count != (span->unit_count << UNIT_SHIFT) / span->slot_bytes || span->start != run_start(checker, span) ||
        span_is_guarded(span))
        return false;
    size_t record_bytes = span_record_bytes(span->slot_count);
    size_t offset = (uintptr_t)span->states - (uintptr_t)(span + 1); /* huge, if it lies before */
    return in_metadata(checker, span, record_bytes, sizeof(void *)) &&
           offset <= record_bytes - sizeof *span - span->slot_count - 1;
}

static void check_columns(const struct checker *checker, struct span *span)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        size_t bytes = (size_t)span->slot_count * span_column_bytes[i];
        if (span->columns[i] != NULL && !in_metadata(checker, span->columns[i], bytes, sizeof(uint32_t)))
            span->columns[i] = NULL;
    }
    /* Who follows these would leave what was checked. */
    span->next = span->previous = NULL;
    span->owner = NULL;
    span->free = (uint64_t *)(span + 1);
}

static void describe(struct checker *checker, struct span *span, size_t index, uint8_t kind)
{
    struct unit *unit = &checker->units[index];
    atomic_store_explicit(&unit->owner, NULL, memory_order_relaxed);
    unit->states = kind == UNIT_SPAN ? span->states : NULL;
    unit->start = span->start;
    unit->reciprocal = kind == UNIT_SPAN ? UINT64_MAX / span->slot_bytes + 1 : 0;
    unit->span = span;
    unit->class_index = span->class_index;
    unit->kind = kind;
    unit->slot_bytes = span->slot_bytes;
    checker->kept[index] = 1;
}

static bool keep_slots(struct checker *checker, struct span *span, size_t index)
{
    if (!slots_are_sound(checker, span) || !take_record(checker, span, span_record_bytes(span->slot_count)))
        return false;
    for (size_t i = 0; i < span->unit_count; i++)
        describe(checker, span, index + i, UNIT_SPAN);
    return true;
}

/* One between guard pages lies anywhere in its run. */
static bool large_is_sound(const struct checker *checker, const struct span *span)
{
    size_t run_bytes = span->unit_count << UNIT_SHIFT;
    uintptr_t offset = span->start - run_start(checker, span);
    if (!span_is_guarded(span))
        return offset == 0 && span->slot_bytes == run_bytes;
    return offset < run_bytes && span->slot_bytes <= run_bytes - offset && span->guarded_bytes <= span->slot_bytes;
}

/* Descriptors up to the first granule's border, then one a granule: see heap/unit.h. */
static bool keep_large(struct checker *checker, struct span *span, size_t index)
{
    if (!large_is_sound(checker, span) || !take_record(checker, span, sizeof *span))
        return false;
    span->slot_count = 1;
    uint8_t use = checker->units[index].use;
    size_t border = (index + GRANULE_UNITS - 1) / GRANULE_UNITS * GRANULE_UNITS;
    for (size_t i = index; i < index + span->unit_count; i += i < border ? 1 : GRANULE_UNITS) {
        describe(checker, span, i, UNIT_LARGE);
        checker->units[i].use = use;
    }
    return true;
}

/* Returns how many units the span at the index covers, or 0. */
static size_t keep_span(struct checker *checker, size_t index)
{
    const struct unit *unit = &checker->units[index];
    struct span *span = unit->span;
    if (!in_metadata(checker, span, sizeof *span, sizeof(void *)) || !extent_is_sound(checker, span, index))
        return 0;
    bool kept = unit->kind == UNIT_SPAN    ? keep_slots(checker, span, index)
                : unit->kind == UNIT_LARGE ? keep_large(checker, span, index)
                                           : false;
    if (!kept)
        return 0;
    check_columns(checker, span);
    return span->unit_count;
}

static size_t check_units(struct checker *checker)
{
    for (size_t i = 0; i < checker->unit_count;) {
        size_t covered = keep_span(checker, i);
        i += covered != 0 ? covered : 1;
    }
    size_t damaged = 0;
    for (size_t i = 0; i < checker->unit_count; i++) {
        struct unit *unit = &checker->units[i];
        if (checker->kept[i])
            continue;
        damaged += unit->span != NULL;
        unit->span = NULL;
        unit->states = NULL;
        unit->kind = UNIT_FREE;
    }
    return damaged;
}

/* ---- call stacks ---- */

static bool is_table(struct checker *checker, const void *table, size_t size_bytes)
{
    return in_metadata(checker, table, size_bytes, sizeof(void *)) && take_record(checker, table, size_bytes);
}

static bool stacks_are_sound(struct checker *checker, struct stack_table *stacks)
{
    if (!is_table(checker, stacks, sizeof *stacks))
        return false;
    for (size_t i = 0; i < STACK_CHUNK_COUNT; i++) {
        const uint64_t *chunk = atomic_load_explicit(&stacks->chunks[i], memory_order_relaxed);
        if (chunk != NULL && !in_metadata(checker, chunk, STACK_CHUNK_WORDS * sizeof *chunk, sizeof *chunk))
            atomic_store_explicit(&stacks->chunks[i], NULL, memory_order_relaxed);
    }
    atomic_store_explicit(&stacks->heads, NULL, memory_order_relaxed);
    atomic_store_explicit(&stacks->previous, NULL, memory_order_relaxed);
    return true;
}

static bool modules_are_sound(struct checker *checker, struct module_table *modules)
{
    if (!is_table(checker, modules, sizeof *modules))
        return false;
    for (size_t i = 0; i < MODULE_COUNT_MAX; i++) {
        struct module *module = &modules->modules[i];
        module->path[MODULE_PATH_BYTES - 1] = '\0';
        if (module->build_id_bytes > MODULE_BUILD_ID_BYTES)
            module->build_id_bytes = 0;
    }
    if (atomic_load_explicit(&modules->count, memory_order_relaxed) > MODULE_COUNT_MAX)
        atomic_store_explicit(&modules->count, MODULE_COUNT_MAX, memory_order_relaxed);
    return true;
}

static void check_healed(const struct checker *checker, struct leak_tables *leak)
{
    const struct healed_table *healed = leak->healed;
    if (healed != NULL &&
        (!in_metadata(checker, healed, sizeof *healed, sizeof(void *)) ||
         healed->room > (checker->metadata_bytes - sizeof *healed) / sizeof healed->sites[0] ||
         !in_metadata(checker, healed, sizeof *healed + healed->room * sizeof healed->sites[0], sizeof(void *))))
        leak->healed = NULL;
}

static void check_lives(const struct checker *checker, struct leak_tables *leak)
{
    struct life_table *lives = leak->lives;
    if (lives != NULL && !in_metadata(checker, lives, sizeof *lives, sizeof(void *)))
        lives = leak->lives = NULL;
    for (size_t i = 0; lives != NULL && i < LIFE_CHUNKS_MAX; i++) {
        const struct life *chunk = atomic_load_explicit(&lives->chunks[i], memory_order_relaxed);
        if (chunk != NULL && !in_metadata(checker, chunk, LIFE_CHUNK * sizeof *chunk, sizeof(void *)))
            atomic_store_explicit(&lives->chunks[i], NULL, memory_order_relaxed);
    }
}

static bool leak_is_sound(struct checker *checker, struct leak_tables *leak)
{
    if (!is_table(checker, leak, sizeof *leak) || leak->tables_bytes != sizeof *leak ||
        !stacks_are_sound(checker, leak->stacks) || !modules_are_sound(checker, leak->modules) ||
        !is_table(checker, leak->threads, sizeof *leak->threads))
        return false;
    if (atomic_load_explicit(&leak->threads->count, memory_order_relaxed) > THREAD_COUNT_MAX)
        atomic_store_explicit(&leak->threads->count, THREAD_COUNT_MAX, memory_order_relaxed);
    check_healed(checker, leak);
    check_lives(checker, leak);
    return true;
}

/* ---- types ---- */

static void check_types(const struct checker *checker)
{
    struct typed_table *types = checker->image->types;
    if (types == NULL)
        return;
    if (!in_metadata(checker, types, sizeof *types, sizeof(void *)) || types->count > TYPED_CHUNKS_MAX * TYPED_CHUNK) {
        checker->image->types = NULL;
        return;
    }
    for (size_t i = 0; i < TYPED_CHUNKS_MAX; i++) {
        struct typed_entry *chunk = types->chunks[i];
        if (chunk != NULL && !in_metadata(checker, chunk, TYPED_CHUNK * sizeof *chunk, sizeof(void *)))
            types->chunks[i] = NULL;
    }
    for (uint32_t type = 1; type <= types->count; type++) {
        struct typed_entry *entry = (struct typed_entry *)(uintptr_t)typed_entry(types, type);
        if (entry != NULL)
            entry->name[sizeof entry->name - 1] = '\0';
    }
}

/* Records of blocks mean nothing without. */
static void drop_leak(struct checker *checker)
{
    checker->image->leak = NULL;
    for (size_t i = 0; i < checker->unit_count; i++)
        if (checker->units[i].span != NULL)
            checker->units[i].span->columns[COLUMN_STACK] = NULL;
}

/* ---- all ---- */

/* What comes after the checks is done with the header that was checked, and with no more of it than that. */
static void settle_header(const struct heap_copy *copy, struct image *image)
{
    memcpy(image, &copy->header, sizeof *image);
    atomic_store_explicit(&image->units_committed, atomic_load(&image->units_used), memory_order_relaxed);
    image->heaps = NULL;
    image->roots = NULL;
    image->collector = NULL;
    image->birth %= BIRTH_COUNT;
}

int image_check(struct heap_copy *copy, struct image_check *check_out)
{
    struct image *image = (struct image *)copy->header.start;
    settle_header(copy, image);
    struct checker checker = {
        .image = image,
        .units = (struct unit *)image->units_start,
        .unit_count = atomic_load(&image->units_used),
        .metadata_start = image->metadata_start,
        .metadata_bytes = atomic_load(&image->metadata_used_bytes),
    };
    checker.taken = calloc(words_for(checker.metadata_bytes / RECORD_STEP_BYTES + 1), sizeof *checker.taken);
    checker.kept = calloc(checker.unit_count + 1, 1);
    int result = checker.taken != NULL && checker.kept != NULL ? 0 : -ENOMEM;
    if (result == 0) {
        *check_out = (struct image_check){.damaged_units = check_units(&checker)};
        check_out->leak_is_damaged = image->leak != NULL && !leak_is_sound(&checker, image->leak);
        if (image->leak == NULL || check_out->leak_is_damaged)
            drop_leak(&checker);
        check_types(&checker);
    }
    free(checker.taken);
    free(checker.kept);
    return result;
}
