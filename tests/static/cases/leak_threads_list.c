/* leak: the list of the threads is forgotten; what each of them gets is a local variable. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 3 };

static void *work(void *argument)
{
    long *sum = argument;
    for (int i = 0; i < 1000; i++)
        *sum += i;
    return NULL;
}

static long run_all(void)
{
    long sums[THREADS] = {0}, sum = 0;
    pthread_t *threads = malloc(THREADS * sizeof *threads);
    if (threads == NULL)
        return -1;
    int started = 0;
    while (started < THREADS && pthread_create(&threads[started], NULL, work, &sums[started]) == 0)
        started++;
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        sum += sums[i];
    }
#ifndef BUG
    free(threads);
#endif
    return sum;
}

int main(void)
{
    printf("%ld\n", run_all());
    return 0;
}
