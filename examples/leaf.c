/*
 * examples/leaf: blocks that will never hold a pointer, here the samples of a picture.
 *
 * A collector need not search such blocks. Otherwise they are like any other: realloc and free take them.
 *
 *     cc leaf.c $(pkg-config --cflags --libs gcalloc) -o leaf && ./leaf
 */
#include <gcalloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture {
    size_t width;
    size_t height;
    unsigned char *samples; /* leaf; the structure itself is not, since it holds this pointer */
};

/* NULL and errno when memory is short. */
static struct picture *picture_make(size_t width, size_t height)
{
    struct picture *picture = malloc(sizeof *picture);
    if (picture == NULL)
        return NULL;
    *picture = (struct picture){width, height, gca_alloc_leaf(width * height)};
    if (picture->samples == NULL) {
        free(picture);
        return NULL;
    }
    memset(picture->samples, 128, width * height);
    return picture;
}

static void picture_drop(struct picture *picture)
{
    free(picture->samples);
    free(picture);
}

int main(void)
{
    struct picture *picture = picture_make(640, 480);
    if (picture == NULL) {
        perror("picture");
        return EXIT_FAILURE;
    }
    printf("%zu samples need %zu bytes in a block of %zu\n", picture->width * picture->height,
           picture->width * picture->height, gca_usable_size(picture->samples));
    picture_drop(picture);
    return EXIT_SUCCESS;
}
