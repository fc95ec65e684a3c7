/*
 * tools/heap_copy: a target's heap at the same addresses here.
 */
#include "tools/heap_copy.h"

#include "heap/unit.h"
#include "tools/core_file.h"
#include "tools/image_copy.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_BYTES = 2 << 20 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static size_t page_up(size_t size_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return (size_bytes + page_bytes - 1) / page_bytes * page_bytes;
}

/* The kernel's overcommit rules do not count what is mapped without reserve, so sparse areas cost nothing. */
static int grow_area(struct heap_copy *copy, enum heap_area area, uintptr_t start, size_t used_bytes)
{
    size_t mapped_bytes = copy->areas[area].mapped_bytes;
    size_t wanted_bytes = page_up(used_bytes);
    if (mapped_bytes != 0 && copy->areas[area].start != start)
        return -EPROTO;
    copy->areas[area].start = start;
    copy->areas[area].used_bytes = used_bytes;
    if (wanted_bytes <= mapped_bytes)
        return 0;
    void *place = (void *)(start + mapped_bytes);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *got = mmap(place, wanted_bytes - mapped_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (got == MAP_FAILED)
        return -errno;
    if (got != place) { /* a kernel that takes the address as a hint */
        munmap(got, wanted_bytes - mapped_bytes);
        return -EEXIST;
    }
    copy->areas[area].mapped_bytes = wanted_bytes;
    return 0;
}

/* Beyond what image_copy_is_sound() looks at. */
static bool slots_are_sound(const struct image *header)
{
    uintptr_t end = header->start + header->size_bytes;
    size_t used = atomic_load(&header->units_used), committed = atomic_load(&header->units_committed);
    uintptr_t metadata_end = header->metadata_start + atomic_load(&header->metadata_used_bytes);
    return used <= committed && committed <= header->unit_limit && header->slots_start >= metadata_end &&
           header->metadata_start >= header->units_start + used * sizeof(struct unit) && header->slots_start < end &&
           committed <= (end - header->slots_start) >> UNIT_SHIFT && header->slots_start % UNIT_BYTES == 0 &&
           header->block_bias <= 1;
}

int heap_copy_map(struct heap_copy *copy, const struct target *target)
{
    struct image header;
    int result = target_read_all(target, target->image_address, &header, sizeof header);
    if (result != 0)
        return result == -EFAULT ? -EPROTO : result;
    if (!image_copy_is_sound(&header, target->image_address) || !slots_are_sound(&header))
        return -EPROTO;
    size_t unit_bytes = atomic_load(&header.units_used) * sizeof(struct unit);
    result = grow_area(copy, HEAP_TABLES, header.start, header.units_start - header.start + unit_bytes);
    if (result == 0)
        result = grow_area(copy, HEAP_METADATA, header.metadata_start, atomic_load(&header.metadata_used_bytes));
    if (result == 0)
        result = grow_area(copy, HEAP_SLOTS, header.slots_start, atomic_load(&header.units_used) << UNIT_SHIFT);
    if (result == 0)
        copy->header = header;
    return result;
}

bool heap_copy_clip(const struct heap_copy *copy, enum heap_area area, uintptr_t *start, uintptr_t *end)
{
    uintptr_t first = copy->areas[area].start, last = first + copy->areas[area].mapped_bytes;
    *start = *start < first ? first : *start;
    *end = *end > last ? last : *end;
    return *start < *end;
}

int heap_copy_add(const struct heap_copy *copy, uintptr_t start, uintptr_t end, struct copy_list *list)
{
    int result = 0;
    for (enum heap_area area = HEAP_TABLES; area < HEAP_AREAS && result == 0; area++) {
        uintptr_t first = start, last = end;
        if (heap_copy_clip(copy, area, &first, &last))
            result = copy_add(list, first, (void *)first, last - first);
    }
    return result;
}

void heap_copy_prepare(uintptr_t start, uintptr_t end)
{
    uintptr_t first = (start + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES, last = end / HUGE_BYTES * HUGE_BYTES;
    if (first < last)
        madvise((void *)first, last - first, MADV_HUGEPAGE);
    madvise((void *)start, end - start, MADV_POPULATE_WRITE);
}

/* The file's own pages where the offsets allow it, so that a large core costs no memory. */
static int place_part(const struct core_file *core, const struct core_segment *segment, uintptr_t start, uintptr_t end)
{
    uint64_t offset = segment->file_offset + (start - segment->start);
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t inner_end = end / page_bytes * page_bytes;
    if (offset % page_bytes != 0 || start % page_bytes != 0 || inner_end <= start)
        inner_end = start;
    if (inner_end > start && mmap((void *)start, inner_end - start, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, core->descriptor, (off_t)offset) == MAP_FAILED)
        return -errno;
    memcpy((void *)inner_end, core->bytes + offset + (inner_end - start), end - inner_end);
    return 0;
}

static int place_area(const struct heap_copy *copy, const struct core_file *core, enum heap_area area, size_t *missing)
{
    uintptr_t next = copy->areas[area].start, end = next + copy->areas[area].used_bytes;
    int result = 0;
    for (size_t i = 0; i < core->segment_count && next < end && result == 0; i++) {
        const struct core_segment *segment = &core->segments[i];
        if (segment->end <= next || segment->start >= end)
            continue;
        uintptr_t start = segment->start > next ? segment->start : next;
        uintptr_t there = segment->start + segment->file_bytes;
        uintptr_t stop = segment->end < end ? segment->end : end;
        uintptr_t last = there < stop ? there : stop;
        *missing += start - next;
        if (start < last)
            result = place_part(core, segment, start, last);
        *missing += stop - (last > start ? last : start);
        next = stop;
    }
    *missing += end - next;
    return result;
}

int heap_copy_from_core(const struct heap_copy *copy, const struct core_file *core, size_t *missing_out)
{
    size_t missing = 0, tables_missing;
    int result = place_area(copy, core, HEAP_TABLES, &missing);
    if (result == 0)
        result = place_area(copy, core, HEAP_METADATA, &missing);
    tables_missing = missing;
    if (result == 0)
        result = place_area(copy, core, HEAP_SLOTS, &missing);
    *missing_out = missing - tables_missing;
    return result == 0 && tables_missing != 0 ? -ENODATA : result;
}

bool heap_copy_owns(const struct heap_copy *copy, uintptr_t address)
{
    const struct image *header = &copy->header;
    return address - header->start < copy->areas[HEAP_TABLES].used_bytes ||
           address - header->metadata_start < header->metadata_limit_bytes ||
           address - header->slots_start < header->unit_limit << UNIT_SHIFT;
}

void heap_copy_drop(struct heap_copy *copy)
{
    for (int area = 0; area < HEAP_AREAS; area++)
        if (copy->areas[area].mapped_bytes != 0)
            munmap((void *)copy->areas[area].start, copy->areas[area].mapped_bytes);
    memset(copy, 0, sizeof *copy);
}
