/* tools/image_copy: a target's heap tables, copied to the same addresses here, so that the
 * library's own code reads them. */
#ifndef TOOLS_IMAGE_COPY_H
#define TOOLS_IMAGE_COPY_H

#include "tools/target.h"

#include <stdbool.h>

struct image;

enum { IMAGE_COPY_AREAS = 2 };

struct image_area {
    uintptr_t start;
    size_t mapped_bytes;
};

struct image_copy {
    struct image_area areas[IMAGE_COPY_AREAS]; /* header and units, metadata */
};

/*
 * Copies what is in use now; called again, brings the copy up to date. *image_out is the header of
 * the copy. Returns 0; -EPROTO: the image is of another build of gcalloc, or damaged; -EEXIST:
 * something of this process lies at one of the addresses; or what target_read returns. The target
 * runs on meanwhile, so the copy may be torn.
 */
int image_copy_refresh(struct image_copy *copy, const struct target *target,
                       const struct image **image_out);

/* True for a header, read from this address, of an image of this build that names sensible areas. */
bool image_copy_is_sound(const struct image *header, uintptr_t address);

/* Unmaps everything. The structure may be used anew. */
void image_copy_drop(struct image_copy *copy);

#endif
