/*
 * Objects of a pool, and a table of handles.
 * expect: invalid free of {object}: memory of pool "records"
 * expect: invalid free of {table}: memory of a table of handles
 */
#include "gcalloc/pool.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.name = "records", .object_bytes = 40});
    gca_handles *table = gca_handles_new(0);
    void *object = gca_pool_get(pool);

    name_address("object", object);
    name_address("table", table);
    free_hidden(object);
    free_hidden(table);
    gca_pool_put(pool, object);
    gca_pool_free(pool);
    gca_handles_free(table);
    return survive(40);
}
