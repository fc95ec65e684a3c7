/* use after giving: the worker may be done with the task, and has freed it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct task {
    int id;
    int cost;
};

int task_cost(const struct task *task) GCA_READS(task);
void worker_run(struct task *task) GCA_DROPS(task, 1);
int schedule(int id);

int task_cost(const struct task *task)
{
    return task->cost;
}

void worker_run(struct task *task)
{
    printf("task %d\n", task->id);
    gca_drop(task);
}

int schedule(int id)
{
    struct task *task = gca_new(struct task);
    if (task == NULL)
        return -1;
    task->id = id;
    task->cost = id * 2;
    int cost = task_cost(task);
    worker_run(task);
#ifdef BUG
    cost = task_cost(task);
#endif
    return cost;
}

int main(void)
{
    return schedule(4) == 0;
}
