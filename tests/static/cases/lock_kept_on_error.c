/* lock: not released when the queue is full. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>

struct queue {
    pthread_mutex_t lock;
    int count GCA_GUARDED_BY(lock);
};

int queue_put(struct queue *queue);

int queue_put(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->count == 2) {
#ifndef BUG
        pthread_mutex_unlock(&queue->lock);
#endif
        return -1;
    }
    queue->count++;
    pthread_mutex_unlock(&queue->lock);
    return 0;
}

int main(void)
{
    struct queue queue = {.lock = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 0; i < 3; i++)
        queue_put(&queue);
    return pthread_mutex_trylock(&queue.lock) != 0;
}
