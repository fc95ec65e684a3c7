/*
 * What is put into a pool is another pool's, a block, a variable.
 * expect: gca_pool_put: {object} is no object of pool "records"
 * expect: gca_pool_put: {block} is no object of pool "records"
 * expect: gca_pool_put: {local} is no object of pool "records"
 */
#include "gcalloc/pool.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.name = "records", .object_bytes = 40});
    gca_pool *other = gca_pool_new(&(gca_pool_options){.object_bytes = 40});
    void *object = gca_pool_get(other);
    void *block = malloc(40);
    char local[40];

    name_address("object", object);
    name_address("block", block);
    name_address("local", local);
    gca_pool_put(pool, object);
    gca_pool_put(pool, block);
    gca_pool_put(pool, opaque(local));
    free(block);
    gca_pool_free(pool);
    gca_pool_free(other);
    return survive(40);
}
