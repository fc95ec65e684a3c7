/* borrow conflict: an element is given away within the scope that reads it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct picture {
    int width;
};

void archive(struct picture *picture) GCA_TAKES(picture);
int publish(int width);

void archive(struct picture *picture)
{
    gca_drop(picture);
}

int publish(int width)
{
    struct picture *picture = gca_new(struct picture);
    if (picture == NULL)
        return -1;
    picture->width = width;
    int seen;
    {
        gca_with(shown, picture);
        seen = shown->width;
#ifdef BUG
        archive(picture);
#endif
    }
#ifndef BUG
    archive(picture);
#endif
    return seen;
}

int main(void)
{
    return publish(3) != 3;
}
