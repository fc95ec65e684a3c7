/* lock: held for reading while the guarded member is written. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>

struct settings {
    pthread_rwlock_t lock;
    int level GCA_GUARDED_BY(lock);
};

int settings_raise(struct settings *settings);

int settings_raise(struct settings *settings)
{
#ifdef BUG
    gca_guard_read(guard, &settings->lock);
#else
    gca_guard_write(guard, &settings->lock);
#endif
    return ++settings->level;
}

int main(void)
{
    struct settings settings = {.lock = PTHREAD_RWLOCK_INITIALIZER};
    return settings_raise(&settings) != 1;
}
