/* borrow never ended: begun in each round, ended after the loop. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct sensor {
    int reading;
};

int sample(struct sensor *sensor, int times);

int sample(struct sensor *sensor, int times)
{
    int sum = 0;
    const struct sensor *view = NULL;
    for (int i = 0; i < times; i++) {
        view = gca_borrow(sensor);
        sum += view->reading;
#ifndef BUG
        gca_end(view);
#endif
    }
#ifdef BUG
    gca_end(view);
#endif
    return sum;
}

int main(void)
{
    struct sensor *sensor = gca_new(struct sensor);
    if (sensor == NULL)
        return 1;
    printf("%d\n", sample(sensor, 3));
    gca_drop(sensor);
    return 0;
}
