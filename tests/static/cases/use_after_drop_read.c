/* use after drop: the id is logged once the job is gone. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    int id;
    int result;
};

int main(void)
{
    struct job *job = gca_new(struct job);
    if (job == NULL)
        return 1;
    job->id = 17;
#ifdef BUG
    gca_drop(job);
    printf("job %d done\n", job->id);
#else
    printf("job %d done\n", job->id);
    gca_drop(job);
#endif
    return 0;
}
