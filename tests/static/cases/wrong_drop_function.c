/* wrong drop: what one library made is freed by another's function. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct picture {
    unsigned char *pixels;
};

void picture_free(struct picture *picture) GCA_DROPS(picture, 1);
struct picture *picture_load(int size) GCA_OWNED(picture_free);

void picture_free(struct picture *picture)
{
    if (picture != NULL)
        free(picture->pixels);
    free(picture);
}

struct picture *picture_load(int size)
{
    struct picture *picture = calloc(1, sizeof *picture);
    if (picture != NULL)
        picture->pixels = calloc(1, (size_t)size);
    return picture;
}

int main(void)
{
    struct picture *picture = picture_load(100);
    if (picture == NULL || picture->pixels == NULL) {
        picture_free(picture);
        return 1;
    }
    printf("%d\n", picture->pixels[0]);
#ifdef BUG
    free(picture);
#else
    picture_free(picture);
#endif
    return 0;
}
