/* use after growth: a pointer into an array outlives a push that moves the array. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct points {
    double *at;
    size_t count;
    size_t room;
};

int points_add(struct points *points, double value) GCA_CHANGES(points);
double *points_first(struct points *points) GCA_READS(points);
double twice(struct points *points);

int points_add(struct points *points, double value)
{
    if (points->count == points->room) {
        size_t room = points->room * 8 + 4;
        double *larger = realloc(points->at, room * sizeof *larger);
        if (larger == NULL)
            return -1;
        points->at = larger;
        points->room = room;
    }
    points->at[points->count++] = value;
    return 0;
}

double *points_first(struct points *points)
{
    return points->at;
}

double twice(struct points *points)
{
#ifdef BUG
    double *first = points_first(points);
    for (int i = 0; i < 5000; i++)
        if (points_add(points, i) != 0)
            return 0;
    return *first * 2;
#else
    for (int i = 0; i < 5000; i++)
        if (points_add(points, i) != 0)
            return 0;
    double *first = points_first(points);
    return *first * 2;
#endif
}

int main(void)
{
    struct points points = {NULL, 0, 0};
    if (points_add(&points, 21) == 0)
        printf("%g\n", twice(&points));
    free(points.at);
    return 0;
}
