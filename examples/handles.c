/*
 * examples/handles: a game's monsters, which others keep in mind by handle; those that are dead do not answer.
 *
 *     cc handles.c $(pkg-config --cflags --libs gcalloc) -o handles && ./handles
 */
#include <gcalloc.h>

#include <stdio.h>
#include <stdlib.h>

enum { MONSTERS = 1000 };

struct monster {
    gca_handle self;
    gca_handle prey;
    int health;
};

struct world {
    gca_pool *pool;
    gca_handles *monsters;
};

static struct monster *hatch(struct world *world)
{
    struct monster *monster = gca_pool_get(world->pool);
    if (monster == NULL)
        return NULL;
    *monster = (struct monster){.health = 3};
    monster->self = gca_handle_add(world->monsters, monster);
    return monster;
}

static void die(struct world *world, struct monster *monster)
{
    gca_handle_remove(world->monsters, monster->self);
    gca_pool_put(world->pool, monster);
}

/* Returns whether there was anybody left to bite. */
static bool bite(struct world *world, const struct monster *monster)
{
    struct monster *prey = gca_handle_get(world->monsters, monster->prey);
    if (prey == NULL)
        return false;
    if (--prey->health == 0)
        die(world, prey);
    return true;
}

int main(void)
{
    static gca_handle all[MONSTERS];
    struct world world = {
        gca_pool_new(&(gca_pool_options){.name = "monsters", .object_bytes = sizeof(struct monster)}),
        gca_handles_new(0),
    };
    if (world.pool == NULL || world.monsters == NULL) {
        gca_pool_free(world.pool);
        gca_handles_free(world.monsters);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < MONSTERS; i++) {
        struct monster *monster = hatch(&world);
        if (monster == NULL) {
            gca_handles_free(world.monsters);
            gca_pool_free(world.pool);
            return EXIT_FAILURE;
        }
        all[i] = monster->self;
        monster->prey = all[i * 7 / 10]; /* somebody older, or itself */
    }
    size_t bites = 0;
    for (int round = 0; round < 10; round++)
        for (size_t i = 0; i < MONSTERS; i++) {
            const struct monster *monster = gca_handle_get(world.monsters, all[i]);
            bites += monster != NULL && bite(&world, monster);
        }
    printf("%zu bites, %zu of %d monsters are left\n", bites, gca_handles_count(world.monsters), MONSTERS);
    gca_handles_free(world.monsters);
    gca_pool_free(world.pool);
    return EXIT_SUCCESS;
}
