/* pool: a bullet that hits two targets is put back twice. */
#include <gcalloc.h>
#include <stdio.h>

struct bullet {
    int x;
};

static int hits(gca_pool *pool, const int *targets, int count)
{
    struct bullet *bullet = gca_pool_get(pool);
    if (bullet == NULL)
        return -1;
    bullet->x = 5;
    int hit = 0;
    for (int i = 0; i < count; i++) {
        if (targets[i] == bullet->x) {
            hit++;
#ifdef BUG
            gca_pool_put(pool, bullet);
#endif
        }
    }
#ifndef BUG
    gca_pool_put(pool, bullet);
#endif
    return hit;
}

int main(void)
{
    gca_pool_options options = {.name = "bullets", .object_bytes = sizeof(struct bullet)};
    gca_pool *pool = gca_pool_new(&options);
    if (pool == NULL)
        return 1;
    const int targets[] = {5, 5, 7};
    printf("%d\n", hits(pool, targets, 3));
    gca_pool_free(pool);
    return 0;
}
