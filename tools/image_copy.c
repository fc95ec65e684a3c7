/*
 * tools/image_copy: a target's heap tables, copied to the same addresses here.
 */
#include "tools/image_copy.h"

#include "base/image.h"
#include "heap/span.h"
#include "heap/unit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More addresses than this no Linux program has. Keeps the sums below from wrapping around. */
static const uintptr_t address_max = (uintptr_t)1 << (sizeof(uintptr_t) == 8 ? 56 : 31);

struct range {
    uintptr_t start;
    size_t size_bytes;
};

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up_to_page(size_t size_bytes)
{
    return (size_bytes + page_bytes() - 1) / page_bytes() * page_bytes();
}

static bool lies_within(struct range inner, struct range outer)
{
    return inner.start >= outer.start && inner.start % page_bytes() == 0 &&
           inner.size_bytes <= outer.size_bytes &&
           inner.start - outer.start <= outer.size_bytes - inner.size_bytes;
}

static bool is_same_build(const struct image *header)
{
    return memcmp(header->magic, IMAGE_MAGIC, sizeof header->magic) == 0 &&
           header->version == IMAGE_VERSION && header->header_bytes == sizeof *header &&
           header->unit_bytes == UNIT_BYTES &&
           header->unit_descriptor_bytes == sizeof(struct unit) &&
           header->span_record_bytes == sizeof(struct span);
}

/* What to copy, or -EPROTO. */
static int find_ranges(const struct image *header, uintptr_t address,
                       struct range ranges_out[IMAGE_COPY_AREAS])
{
    if (!is_same_build(header) || header->start != address)
        return -EPROTO;
    struct range reservation = {header->start, header->size_bytes};
    size_t units = atomic_load(&header->units_used);
    struct range ranges[IMAGE_COPY_AREAS] = {
        {header->start, header->units_start - header->start + units * sizeof(struct unit)},
        {header->metadata_start, atomic_load(&header->metadata_used_bytes)},
    };
    if (reservation.start >= address_max || reservation.size_bytes >= address_max ||
        units >= address_max / UNIT_BYTES || header->units_start % CACHE_LINE_BYTES != 0 ||
        header->units_start < header->start + sizeof *header || header->units_start >= address_max)
        return -EPROTO;
    for (size_t i = 0; i < IMAGE_COPY_AREAS; i++)
        if (!lies_within(ranges[i], reservation))
            return -EPROTO;
    memcpy(ranges_out, ranges, sizeof ranges);
    return 0;
}

bool image_copy_is_sound(const struct image *header, uintptr_t address)
{
    struct range ranges[IMAGE_COPY_AREAS];
    return find_ranges(header, address, ranges) == 0;
}

/* Makes room at the target's addresses. Areas only grow. */
static int area_cover(struct image_area *area, struct range range)
{
    size_t needed_bytes = round_up_to_page(range.size_bytes);
    if (area->mapped_bytes > 0 && area->start != range.start)
        return -EPROTO;
    if (needed_bytes <= area->mapped_bytes)
        return 0;
    void *place = (void *)(range.start + area->mapped_bytes);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *got =
        mmap(place, needed_bytes - area->mapped_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (got == MAP_FAILED)
        return -errno;
    if (got != place) { /* a kernel that takes the address as a hint */
        munmap(got, needed_bytes - area->mapped_bytes);
        return -EEXIST;
    }
    area->start = range.start;
    area->mapped_bytes = needed_bytes;
    return 0;
}

/* What the header calls used has memory behind it; if it has not, the header is damaged. */
static int copy_range(const struct target *target, struct range range)
{
    size_t done = 0;
    while (done < range.size_bytes) {
        uintptr_t next = range.start + done;
        ssize_t count = target_read(target, next, (void *)next, range.size_bytes - done);
        if (count < 0 && count != -EFAULT)
            return (int)count;
        if (count <= 0)
            return -EPROTO;
        done += (size_t)count;
    }
    return 0;
}

int image_copy_refresh(struct image_copy *copy, const struct target *target,
                       const struct image **image_out)
{
    struct image header;
    struct range ranges[IMAGE_COPY_AREAS];
    int result = target_read_all(target, target->image_address, &header, sizeof header);
    if (result == 0)
        result = find_ranges(&header, target->image_address, ranges);
    if (result == 0 && copy->areas[0].mapped_bytes > 0 && copy->areas[0].start != ranges[0].start)
        image_copy_drop(copy);
    for (size_t i = 0; result == 0 && i < IMAGE_COPY_AREAS; i++) {
        result = area_cover(&copy->areas[i], ranges[i]);
        if (result == 0)
            result = copy_range(target, ranges[i]);
    }
    if (result != 0)
        return result;
    /* What was checked is what will be used, whatever the target has written since. */
    memcpy((void *)header.start, &header, sizeof header);
    *image_out = (const struct image *)header.start;
    return 0;
}

void image_copy_drop(struct image_copy *copy)
{
    for (size_t i = 0; i < IMAGE_COPY_AREAS; i++)
        if (copy->areas[i].mapped_bytes > 0)
            munmap((void *)copy->areas[i].start, copy->areas[i].mapped_bytes);
    memset(copy, 0, sizeof *copy);
}
