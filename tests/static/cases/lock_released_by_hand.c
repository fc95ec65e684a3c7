/* lock: released before the slow part, and again by the guard at the end of the block. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>

struct spool {
    pthread_mutex_t lock;
    int jobs GCA_GUARDED_BY(lock);
};

int spool_drain(struct spool *spool);

int spool_drain(struct spool *spool)
{
    gca_guard_mutex(guard, &spool->lock);
    int jobs = spool->jobs;
    spool->jobs = 0;
#ifdef BUG
    pthread_mutex_unlock(&spool->lock);
#endif
    printf("%d jobs\n", jobs);
    return jobs;
}

int main(void)
{
    struct spool spool = {.lock = PTHREAD_MUTEX_INITIALIZER, .jobs = 3};
    return spool_drain(&spool) != 3;
}
