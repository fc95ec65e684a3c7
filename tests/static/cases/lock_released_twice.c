/* lock: released in a branch, and again behind it. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>

struct log {
    pthread_rwlock_t lock;
    int lines GCA_GUARDED_BY(lock);
};

int log_flush(struct log *log);

int log_flush(struct log *log)
{
    pthread_rwlock_wrlock(&log->lock);
    int lines = log->lines;
    if (lines > 1) {
        log->lines = 0;
#ifdef BUG
        pthread_rwlock_unlock(&log->lock);
#endif
    }
    pthread_rwlock_unlock(&log->lock);
    return lines;
}

int main(void)
{
    struct log log = {.lock = PTHREAD_RWLOCK_INITIALIZER, .lines = 2};
    printf("%d\n", log_flush(&log));
    return pthread_rwlock_trywrlock(&log.lock) != 0;
}
