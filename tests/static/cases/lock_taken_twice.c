/* lock: a function that locks calls another that locks the same, and waits for ever. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct cache {
    pthread_mutex_t lock;
    int entries GCA_GUARDED_BY(lock);
};

void cache_clear(struct cache *cache) GCA_NEEDS_NOT(&cache->lock);
void cache_add(struct cache *cache) GCA_NEEDS_NOT(&cache->lock);

void cache_clear(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->entries = 0;
    pthread_mutex_unlock(&cache->lock);
}

void cache_add(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    if (++cache->entries > 2) {
#ifdef BUG
        cache_clear(cache);
#else
        cache->entries = 0;
#endif
    }
    pthread_mutex_unlock(&cache->lock);
}

int main(void)
{
    struct cache cache = {.lock = PTHREAD_MUTEX_INITIALIZER};
    alarm(1);
    for (int i = 0; i < 4; i++)
        cache_add(&cache);
    return 0;
}
