/* wrong drop: free() of an object that others hold counted references to. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct image {
    int width;
};

int main(void)
{
    struct image *image = gca_rc_new(struct image);
    if (image == NULL)
        return 1;
    struct image *shown = gca_retain(image);
    shown->width = 640;
    printf("%d\n", image->width);
    gca_release(shown);
#ifdef BUG
    free(image);
#else
    gca_release(image);
#endif
    return 0;
}
