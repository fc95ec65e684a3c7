/* leak: what is taken from the queue is used and not ended. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct job *next;
    int number;
};

static struct job *queue;

static struct job *queue_pop(void) GCA_OWNED(gca_drop);

static struct job *queue_pop(void)
{
    struct job *job = queue;
    if (job != NULL)
        queue = job->next;
    return job;
}

int main(void)
{
    for (int i = 0; i < 3; i++) {
        struct job *job = gca_new(struct job);
        if (job == NULL)
            break;
        job->number = i;
        job->next = queue;
        queue = job;
    }
    for (int i = 0; i < 3; i++) {
        struct job *job = queue_pop();
        if (job == NULL)
            break;
        printf("%d\n", job->number);
#ifndef BUG
        gca_drop(job);
#endif
    }
    return 0;
}
