/* leak: the argument of a thread is the thread's to free; when the thread can't be made it is nobody's. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct request {
    int id;
};

static int start(void *(*work)(void *), pthread_t *thread, const pthread_attr_t *attributes, int id)
{
    struct request *request = gca_new(struct request);
    if (request == NULL)
        return -1;
    request->id = id;
    if (pthread_create(thread, attributes, work, request) != 0) {
#ifndef BUG
        gca_drop(request);
#endif
        return -1;
    }
    return 0;
}

static void *work(void *argument)
{
    struct request *request = argument;
    printf("%d\n", request->id);
    gca_drop(request);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 46);
    if (start(work, &thread, &attributes, 1) == 0)
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return 0;
}
