/* count too high: a function of the program's own returns a reference, to what it finds or to what it makes; its caller forgets one. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct picture {
    int number;
    char *pixels;
};

static void picture_drop(void *object)
{
    free(((struct picture *)object)->pixels);
}

GCA_TYPE(struct picture, .drop = picture_drop);

struct cache {
    gca_weak pictures[8];
};

struct picture *picture_load(int number) GCA_COUNTED(gca_release);
struct picture *cache_get(struct cache *cache, int number) GCA_CHANGES(cache) GCA_COUNTED(gca_release);

struct picture *picture_load(int number)
{
    gca_let_or(struct picture *, picture, gca_rc_new(struct picture)) return NULL;
    picture->number = number;
    picture->pixels = malloc(100);
    if (picture->pixels == NULL) {
        gca_release(picture);
        return NULL;
    }
    return gca_move(picture);
}

struct picture *cache_get(struct cache *cache, int number)
{
    gca_with_mut(changing, cache);
    struct picture *picture = gca_upgrade(changing->pictures[number % 8]);
    if (picture != NULL)
        return picture;
    gca_let_or(struct picture *, loaded, picture_load(number)) return NULL;
    changing->pictures[number % 8] = gca_downgrade(loaded);
    return gca_move(loaded);
}

static int show(struct cache *cache, int number)
{
    gca_let_or(struct picture *, picture, cache_get(cache, number)) return -1;
    if (picture->pixels == NULL) {
#ifndef BUG
        gca_release(picture);
#endif
        return -1;
    }
    printf("%d\n", picture->number);
#ifdef BUG
    gca_move(picture);
#else
    gca_release(picture);
#endif
    return 0;
}

int main(void)
{
    struct cache *cache = gca_new(struct cache);
    if (cache == NULL)
        return 1;
    int result = show(cache, 3);
    gca_drop(cache);
    return result != 0;
}
