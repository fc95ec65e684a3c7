/* leak: a member was added to the struct, but not to the function that frees it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct image {
    unsigned char *pixels;
    char *comment;
};

void image_free(struct image *image) GCA_DROPS(image, 1);
struct image *image_new(const char *comment) GCA_OWNED(image_free);

void image_free(struct image *image)
{
    if (image == NULL)
        return;
    free(image->pixels);
#ifndef BUG
    free(image->comment);
#endif
    free(image);
}

struct image *image_new(const char *comment)
{
    struct image *image = calloc(1, sizeof *image);
    if (image == NULL)
        return NULL;
    image->pixels = malloc(64);
    image->comment = strdup(comment);
    if (image->pixels == NULL || image->comment == NULL) {
        image_free(image);
        return NULL;
    }
    return image;
}

int main(void)
{
    struct image *image = image_new("a blank page");
    if (image == NULL)
        return 1;
    memset(image->pixels, 0, 64);
    puts(image->comment);
    image_free(image);
    return 0;
}
