/*
 * A pool's object is given back twice, and one's inside.
 * expect: gca_pool_put: {object} of pool "records" is free already
 * expect: gca_pool_put: {inside} is inside an object of pool "records"
 */
#include "gcalloc/pool.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.name = "records", .object_bytes = 40});
    void *object = gca_pool_get(pool);
    char *other = gca_pool_get(pool);

    name_address("object", object);
    name_address("inside", other + 8);
    gca_pool_put(pool, object);
    gca_pool_put(pool, object);
    gca_pool_put(pool, other + 8);
    gca_pool_free(pool);
    return survive(40);
}
