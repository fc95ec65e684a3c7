/* pool: a particle is read after it was put back, when it may be another's. */
#include <gcalloc.h>
#include <stdio.h>

struct particle {
    int age;
};

int particle_age(const struct particle *particle) GCA_READS(particle);
int step(gca_pool *pool);

int particle_age(const struct particle *particle)
{
    return particle->age;
}

int step(gca_pool *pool)
{
    struct particle *particle = gca_pool_get(pool);
    if (particle == NULL)
        return -1;
    particle->age = 7;
#ifdef BUG
    gca_pool_put(pool, particle);
    return particle_age(particle);
#else
    int age = particle_age(particle);
    gca_pool_put(pool, particle);
    return age;
#endif
}

int main(void)
{
    gca_pool_options options = {.name = "particles", .object_bytes = sizeof(struct particle)};
    gca_pool *pool = gca_pool_new(&options);
    if (pool == NULL)
        return 1;
    printf("%d\n", step(pool));
    gca_pool_free(pool);
    return 0;
}
