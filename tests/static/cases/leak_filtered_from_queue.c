/* leak: jobs that are taken from a queue and then not wanted. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    struct job *next;
    int priority;
};
struct queue {
    struct job *first;
};

void job_free(struct job *job) GCA_DROPS(job, 1);
struct job *job_new(int priority) GCA_OWNED(job_free);
void queue_put(struct queue *queue, struct job *job) GCA_CHANGES(queue) GCA_KEEPS(job, 2);
struct job *queue_take(struct queue *queue) GCA_CHANGES(queue) GCA_OWNED(job_free);
void queue_run(struct queue *queue) GCA_CHANGES(queue);

void job_free(struct job *job)
{
    free(job);
}

struct job *job_new(int priority)
{
    struct job *job = calloc(1, sizeof *job);
    if (job != NULL)
        job->priority = priority;
    return job;
}

void queue_put(struct queue *queue, struct job *job)
{
    if (job == NULL)
        return;
    job->next = queue->first;
    queue->first = job;
}

struct job *queue_take(struct queue *queue)
{
    struct job *job = queue->first;
    if (job != NULL)
        queue->first = job->next;
    return job;
}

void queue_run(struct queue *queue)
{
    for (;;) {
        gca_let_or(struct job *, job, queue_take(queue)) return;
        if (job->priority < 0) {
#ifndef BUG
            job_free(job);
#endif
            continue;
        }
        printf("job of priority %d\n", job->priority);
        job_free(job);
    }
}

int main(void)
{
    struct queue queue = {NULL};
    queue_put(&queue, job_new(1));
    queue_put(&queue, job_new(-1));
    queue_put(&queue, job_new(2));
    queue_run(&queue);
    return 0;
}
