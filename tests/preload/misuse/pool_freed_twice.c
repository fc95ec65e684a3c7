/*
 * The pool's pointer was kept.
 * expect: gca_pool_free({pool}): not a pool, or one that is gone
 */
#include "gcalloc/pool.h"
#include "preload/misuse/misuse.h"

int main(void)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.object_bytes = 40});

    name_address("pool", pool);
    gca_pool_free(opaque(pool));
    gca_pool_free(pool);
    return survive(40);
}
