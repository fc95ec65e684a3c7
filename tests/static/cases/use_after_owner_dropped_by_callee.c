/* use after drop: the function drops the owner, the caller goes on with what it owned. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
    int nodes;
};

static void scene_close(struct scene *scene) GCA_DROPS(scene, 1);

static void scene_close(struct scene *scene)
{
    printf("%d nodes\n", scene->nodes);
    gca_drop(scene);
}

int main(void)
{
    struct scene *scene = gca_new(struct scene);
    int *light = gca_new(int);
    if (scene == NULL || light == NULL || gca_own(light, scene) != 0) {
        gca_drop(light);
        gca_drop(scene);
        return 1;
    }
    *light = 3;
    scene->nodes = 1;
#ifdef BUG
    scene_close(scene);
    *light = 4;
#else
    *light = 4;
    scene_close(scene);
#endif
    return 0;
}
