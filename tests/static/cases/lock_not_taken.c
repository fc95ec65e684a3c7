/* lock: a member that the lock guards is read without it. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>

struct statistics {
    pthread_mutex_t lock;
    long requests GCA_GUARDED_BY(lock);
};

void statistics_add(struct statistics *statistics);
long statistics_get(struct statistics *statistics);

void statistics_add(struct statistics *statistics)
{
    gca_guard_mutex(guard, &statistics->lock);
    statistics->requests++;
}

long statistics_get(struct statistics *statistics)
{
#ifdef BUG
    return statistics->requests;
#else
    gca_guard_mutex(guard, &statistics->lock);
    return statistics->requests;
#endif
}

int main(void)
{
    struct statistics statistics = {.lock = PTHREAD_MUTEX_INITIALIZER};
    statistics_add(&statistics);
    return statistics_get(&statistics) != 1;
}
