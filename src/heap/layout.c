/*
 * heap/layout: the reservation, cut into header, unit table, metadata and slots; and how each grows.
 *
 * Small processes count their pages, so the header, the bits of the first units and the first descriptors share one. The
 * bits move to bitmaps of their own when the heap outgrows them.
 *
 * Guards of at least 64 KiB that are never committed lie between the areas, so that no run off the end of a block
 * reaches a table. Where the first unit lies within the slot area is random, on top of the kernel's own choice.
 *
 * Uses os, base. Locks: none of its own; see layout.h for who holds which.
 */
#include "heap/layout.h"

#include "base/bits.h"
#include "base/invariant.h"
#include "heap/span.h"
#include "os/errand.h"
#include "os/memory.h"
#include "os/random.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

enum {
    GRANULE_BYTES = GRANULE_UNITS * UNIT_BYTES,
    GUARD_BYTES = 65536,
    COMMIT_BYTES_MIN = 256 * 1024,
    COMMIT_BYTES_MAX = 64 * 1024 * 1024,
    METADATA_COMMIT_BYTES = 256 * 1024,
    TABLE_COMMIT_BYTES = 65536,
    RESERVE_BYTES_MIN = 4 * 1024 * 1024,
    RANDOM_UNITS = 4096,
    NEAR_UNITS = 1024,
};

/* What the image starts with; the unit table follows directly. */
struct head {
    struct image image;
    struct {
        uint64_t free[NEAR_UNITS / WORD_BITS], dirty[NEAR_UNITS / WORD_BITS], moved[NEAR_UNITS / WORD_BITS];
    } near; /* bits of the first units */
} __attribute__((aligned(CACHE_LINE_BYTES)));

struct image *image_now;
extern struct image *gca_image __attribute__((alias("image_now"), visibility("default")));
struct heap_layout heap_layout;

/* One table that is committed from its start as the number of units grows. */
struct table {
    char *start;
    size_t reserved_bytes;
    size_t committed_bytes;
};

static struct table unit_table; /* from the image's start: struct head is its first part */
static struct table free_map;
static struct table dirty_map;
static struct table moved_map;
static struct unit_maps unit_maps;
static uintptr_t gap_start;   /* where the random distance before the first unit begins */
static size_t reserved_bytes; /* of the address space; less than the image's size once layout_fit() has cut */

const struct unit_maps *layout_unit_maps(void)
{
    return &unit_maps;
}

static int table_grow(struct table *table, size_t needed_bytes)
{
    if (needed_bytes <= table->committed_bytes)
        return 0;
    size_t wanted_bytes = round_up(needed_bytes, TABLE_COMMIT_BYTES);
    int result = os_commit(table->start + table->committed_bytes, wanted_bytes - table->committed_bytes);
    if (result == 0)
        table->committed_bytes = wanted_bytes;
    return result;
}

/*
 * Under RLIMIT_AS seven eighths of what is left are taken at once: halving from a terabyte could leave the program with
 * next to nothing for its stacks and mappings.
 */
static int reserve(size_t wanted_bytes, void **start_out, size_t *size_out)
{
    size_t left_bytes = os_address_space_left();
    if (left_bytes / 8 * 7 < wanted_bytes)
        wanted_bytes = left_bytes / 8 * 7;
    for (size_t size_bytes = round_down(wanted_bytes, GRANULE_BYTES); size_bytes >= RESERVE_BYTES_MIN;
         size_bytes = round_down(size_bytes / 2, GRANULE_BYTES))
        if (os_reserve(size_bytes, GRANULE_BYTES, start_out) == 0) {
            *size_out = size_bytes;
            return 0;
        }
    return -ENOMEM;
}

/* Areas are page multiples even with 64 KiB pages. */
static uintptr_t place(uintptr_t *next, size_t size_bytes)
{
    uintptr_t start = *next;
    *next = round_up(start + size_bytes, GUARD_BYTES) + GUARD_BYTES;
    return start;
}

static struct table place_table(uintptr_t *next, size_t size_bytes)
{
    size_bytes = round_up(size_bytes, GUARD_BYTES);
    return (struct table){.start = (char *)place(next, size_bytes), .reserved_bytes = size_bytes};
}

/* Of head and unit table. */
static size_t table_bytes(size_t unit_count)
{
    return sizeof(struct head) + unit_count * sizeof(struct unit);
}

/*
 * Cuts the reservation. Metadata may need 1/8 of the slots in the worst case: a state byte and a bit for every 16
 * bytes, and the span's record.
 */
static void cut(struct image *image, uintptr_t start, size_t size_bytes)
{
    size_t unit_limit = size_bytes / UNIT_BYTES;
    size_t map_bytes = round_up(unit_limit / 8 + 8, GUARD_BYTES);
    size_t metadata_bytes = round_up(size_bytes / 8, GUARD_BYTES);
    uintptr_t next = start;
    unit_table = place_table(&next, table_bytes(unit_limit));
    free_map = place_table(&next, map_bytes);
    dirty_map = place_table(&next, map_bytes);
    moved_map = place_table(&next, map_bytes);
    image->units_start = start + sizeof(struct head);
    image->metadata_start = place(&next, metadata_bytes);
    image->metadata_limit_bytes = metadata_bytes;
    gap_start = next;
    size_t spare_units = (start + size_bytes - next) / UNIT_BYTES;
    size_t shift = os_random() % (spare_units / 16 < RANDOM_UNITS ? spare_units / 16 + 1 : RANDOM_UNITS);
    shift = round_down(shift, GUARD_BYTES / UNIT_BYTES); /* whole pages, also where they have 64 KiB */
    image->slots_start = next + shift * UNIT_BYTES;
    image->unit_limit = round_down(spare_units - shift, GUARD_BYTES / UNIT_BYTES);
}

static void fill_header(struct image *image, uintptr_t start, size_t size_bytes)
{
    memcpy(image->magic, IMAGE_MAGIC, sizeof image->magic);
    image->version = IMAGE_VERSION;
    image->header_bytes = sizeof(struct image);
    image->process_id = os_process_id();
    image->unit_bytes = UNIT_BYTES;
    image->unit_descriptor_bytes = sizeof(struct unit);
    image->span_record_bytes = sizeof(struct span);
    image->block_bias = (uint32_t)class_rule.bias;
    image->start = start;
    image->size_bytes = size_bytes;
    image->errand_code = os_errand_code_address();
    image->errand_room = os_errand_room_address();
    image->options = *options_now();
    size_t allowed = (options_now()->heap_limit + UNIT_BYTES - 1) >> UNIT_SHIFT;
    atomic_store_explicit(&image->units_allowed, options_now()->heap_limit != 0 ? allowed : SIZE_MAX, memory_order_relaxed);
}

void layout_view(struct image *image)
{
    heap_layout.slots_start = image->slots_start;
    heap_layout.units = (struct unit *)image->units_start;
    heap_layout.units_by_address = image->units_start - unit_distance((void *)image->slots_start);
    image_now = image;
}

int layout_start(void)
{
    static const char area_name[] = "gcalloc"; /* not a literal: see options_load() */
    void *start;
    size_t size_bytes;
    int result = reserve(options_now()->reserve, &start, &size_bytes);
    if (result != 0)
        return result;
    struct head *head = start;
    struct image *image = &head->image;
    result = os_commit(start, TABLE_COMMIT_BYTES);
    if (result != 0) {
        os_unreserve(start, size_bytes);
        return result;
    }
    os_set_huge_pages(start, size_bytes, options_now()->huge_pages == HUGE_PAGES_ALWAYS);
    fill_header(image, (uintptr_t)start, size_bytes);
    cut(image, (uintptr_t)start, size_bytes);
    unit_table.committed_bytes = TABLE_COMMIT_BYTES;
    unit_maps = (struct unit_maps){head->near.free, head->near.dirty, head->near.moved};
    os_name_range(start, size_bytes, area_name);
    reserved_bytes = size_bytes;
    layout_view(image);
    return 0;
}

/* The head's bits go to the bitmaps that can grow. */
static void leave_near_maps(void)
{
    struct unit_maps near = unit_maps;
    unit_maps = (struct unit_maps){
        .free = (uint64_t *)free_map.start,
        .dirty = (uint64_t *)dirty_map.start,
        .moved = (uint64_t *)moved_map.start,
    };
    memcpy(unit_maps.free, near.free, NEAR_UNITS / 8);
    memcpy(unit_maps.dirty, near.dirty, NEAR_UNITS / 8);
    memcpy(unit_maps.moved, near.moved, NEAR_UNITS / 8);
}

static int grow_maps(size_t unit_count)
{
    size_t map_bytes = words_for(unit_count) * sizeof(uint64_t);
    int result = table_grow(&free_map, map_bytes);
    if (result == 0)
        result = table_grow(&dirty_map, map_bytes);
    if (result == 0)
        result = table_grow(&moved_map, map_bytes);
    if (result == 0 && unit_maps.free != (uint64_t *)free_map.start)
        leave_near_maps();
    return result;
}

static int grow_tables(size_t unit_count)
{
    int result = table_grow(&unit_table, table_bytes(unit_count));
    return result != 0 || unit_count <= NEAR_UNITS ? result : grow_maps(unit_count);
}

static int commit_units(size_t unit_count)
{
    struct image *image = image_now;
    size_t committed = atomic_load_explicit(&image->units_committed, memory_order_relaxed);
    int result = grow_tables(unit_count);
    if (result == 0)
        result = os_commit((void *)unit_start(committed), (unit_count - committed) << UNIT_SHIFT);
    if (result != 0)
        return result;
    atomic_store_explicit(&image->units_committed, unit_count, memory_order_relaxed);
    atomic_store_explicit(&heap_layout.limit_bytes, unit_count << UNIT_SHIFT, memory_order_release);
    if (!heap_layout.holds_freed && !heap_layout.tells_freed)
        atomic_store_explicit(&heap_layout.quick_limit_bytes, unit_count << UNIT_SHIFT, memory_order_release);
    return 0;
}

/* An eighth of the heap at a time: few calls, and little charged that is not used where the kernel counts commits. */
int layout_grow_units(size_t unit_count)
{
    struct image *image = image_now;
    size_t committed = atomic_load_explicit(&image->units_committed, memory_order_relaxed);
    if (unit_count <= committed)
        return 0;
    if (unit_count > image->unit_limit)
        return -ENOMEM;
    size_t chunk_bytes = (committed << UNIT_SHIFT) / 8;
    chunk_bytes = chunk_bytes < COMMIT_BYTES_MIN ? COMMIT_BYTES_MIN : chunk_bytes;
    chunk_bytes = chunk_bytes > COMMIT_BYTES_MAX ? COMMIT_BYTES_MAX : chunk_bytes;
    size_t wanted = committed + (chunk_bytes >> UNIT_SHIFT);
    wanted = wanted < unit_count ? unit_count : wanted;
    wanted = wanted > image->unit_limit ? image->unit_limit : wanted;
    /* Whole granules' worth of kernel pages, also with 64 KiB pages: four units. */
    size_t page_units = os_page_bytes() > UNIT_BYTES ? os_page_bytes() / UNIT_BYTES : 1;
    wanted = wanted / page_units * page_units;
    if (wanted >= unit_count && commit_units(wanted) == 0)
        return 0;
    size_t needed = (unit_count + page_units - 1) / page_units * page_units;
    return needed <= image->unit_limit ? commit_units(needed) : -ENOMEM;
}

int layout_grow_metadata(size_t used_bytes)
{
    struct image *image = image_now;
    size_t committed = atomic_load_explicit(&image->metadata_committed_bytes, memory_order_relaxed);
    if (used_bytes <= committed)
        return 0;
    size_t wanted = round_up(used_bytes, METADATA_COMMIT_BYTES);
    if (wanted > image->metadata_limit_bytes)
        return -ENOMEM;
    int result = os_commit((void *)(image->metadata_start + committed), wanted - committed);
    if (result == 0)
        atomic_store_explicit(&image->metadata_committed_bytes, wanted, memory_order_relaxed);
    return result;
}

bool layout_owns(const void *address)
{
    return image_now != NULL && heap_offset(address) >> UNIT_SHIFT < image_now->unit_limit;
}

/* What an area keeps, rounded up; the rest of its address space goes back to the kernel. */
COLD static void cut_area(uintptr_t start, size_t kept_bytes, size_t old_bytes)
{
    size_t kept_pages_bytes = round_up(kept_bytes, GUARD_BYTES);
    if (kept_pages_bytes >= old_bytes)
        return;
    os_unreserve((void *)(start + kept_pages_bytes), old_bytes - kept_pages_bytes);
    reserved_bytes -= old_bytes - kept_pages_bytes;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

COLD static void cut_table(struct table *table, size_t needed_bytes)
{
    size_t kept_bytes = round_up(larger(needed_bytes, table->committed_bytes), GUARD_BYTES);
    cut_area((uintptr_t)table->start, kept_bytes, table->reserved_bytes);
    table->reserved_bytes = kept_bytes < table->reserved_bytes ? kept_bytes : table->reserved_bytes;
}

/* What all areas together take of the address space for so many units. */
static size_t bytes_for_units(size_t unit_count)
{
    return unit_count * (UNIT_BYTES + UNIT_BYTES / 8 + sizeof(struct unit) + 1);
}

COLD static void shrink_to(size_t unit_limit)
{
    struct image *image = image_now;
    size_t old_units = image->unit_limit;
    cut_area(gap_start, GUARD_BYTES, image->slots_start - gap_start);
    gap_start = image->slots_start;
    size_t committed = atomic_load_explicit(&image->metadata_committed_bytes, memory_order_relaxed);
    size_t metadata_bytes = round_up(larger(unit_limit * (UNIT_BYTES / 8), committed), GUARD_BYTES);
    cut_table(&free_map, unit_limit / 8 + 8);
    cut_table(&dirty_map, unit_limit / 8 + 8);
    cut_table(&moved_map, unit_limit / 8 + 8);
    cut_table(&unit_table, table_bytes(unit_limit));
    cut_area(image->metadata_start, metadata_bytes, image->metadata_limit_bytes);
    cut_area(image->slots_start, unit_limit << UNIT_SHIFT, old_units << UNIT_SHIFT);
    image->unit_limit = unit_limit;
    if (metadata_bytes < image->metadata_limit_bytes)
        image->metadata_limit_bytes = metadata_bytes;
}

COLD void layout_fit(size_t limit_bytes)
{
    struct image *image = image_now;
    size_t used_bytes = larger(os_address_space_used(), reserved_bytes); /* without /proc it says 0 */
    if (used_bytes <= limit_bytes / 4 * 3)
        return;
    size_t others_bytes = used_bytes > reserved_bytes ? used_bytes - reserved_bytes : 0;
    size_t room_bytes = limit_bytes > others_bytes ? (limit_bytes - others_bytes) / 4 * 3 : 0;
    size_t committed = atomic_load_explicit(&image->units_committed, memory_order_relaxed);
    size_t unit_limit = larger(room_bytes / bytes_for_units(1), committed);
    unit_limit = round_up(unit_limit, GUARD_BYTES / UNIT_BYTES);
    if (unit_limit < image->unit_limit)
        shrink_to(unit_limit);
}

static struct layout_area area_of(uintptr_t start, size_t size_bytes)
{
    return (struct layout_area){start, start + size_bytes};
}

static struct layout_area area_of_table(const struct table *table)
{
    return area_of((uintptr_t)table->start, table->reserved_bytes);
}

size_t layout_areas(struct layout_area areas_out[LAYOUT_AREAS])
{
    const struct image *image = image_now;
    if (image == NULL)
        return 0;
    areas_out[0] = area_of(image->start, round_up(sizeof *image, GUARD_BYTES));
    areas_out[1] = area_of_table(&free_map);
    areas_out[2] = area_of_table(&dirty_map);
    areas_out[3] = area_of_table(&moved_map);
    areas_out[4] = area_of_table(&unit_table);
    areas_out[5] = area_of(image->metadata_start, image->metadata_limit_bytes);
    areas_out[6] = area_of(image->slots_start, image->unit_limit << UNIT_SHIFT);
    return LAYOUT_AREAS;
}
