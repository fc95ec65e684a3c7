/*
 * pressure PATH: the file at PATH says how short memory is. The program is told, collections come sooner, and both end.
 */
#include "gcalloc/gc.h"
#include "support/require.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MIB = 1 << 20 };

static const char *path;
static volatile int told_some, told_critical;
static void *cache[1000];

static void say(const char *text)
{
    FILE *file = fopen(path, "w");

    require(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Gives up a cache, inside malloc. */
static void on_pressure(gca_pressure_level level, void *data)
{
    require(data == cache);
    told_some += level == GCA_PRESSURE_SOME;
    told_critical += level == GCA_PRESSURE_CRITICAL;
    for (int i = 0; i < 1000; i++) {
        free(cache[i]);
        cache[i] = malloc(16);
    }
}

static uint64_t collections(void)
{
    gca_gc_stats stats;

    require(gca_gc_get_stats(&stats) == 0);
    return stats.collections;
}

/* Keeps more and more for 400 ms; returns how many collections that brought. */
static uint64_t grow(void)
{
    static char *kept[400];
    uint64_t before = collections();
    struct timespec little = {0, 1000000};

    for (int i = 0; i < 400; i++) {
        kept[i] = malloc(20000);
        require(kept[i] != NULL);
        memset(kept[i], 1, 20000);
        nanosleep(&little, NULL);
    }
    for (int i = 0; i < 400; i++)
        free(kept[i]);
    return collections() - before;
}

int main(int count, char **arguments)
{
    require(count == 2);
    path = arguments[1];
    say("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    require(gca_pressure_callback_add(on_pressure, cache) == 0);
    require(gca_pressure_callback_remove(on_pressure, NULL) == -ENOENT);
    require(gca_pressure_now() == GCA_PRESSURE_NONE);
    require(grow() == 0 && told_some == 0);
    say("some avg10=40.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=0\n");
    require(grow() >= 1 && told_some >= 1 && told_critical == 0);
    say("some avg10=60.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=30.00 avg60=0.00 avg300=0.00 total=0\n");
    require(gca_pressure_now() == GCA_PRESSURE_CRITICAL && told_critical == 1);
    say("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    require(gca_pressure_now() == GCA_PRESSURE_NONE && told_critical == 1);
    require(gca_pressure_callback_remove(on_pressure, cache) == 0);
    return 0;
}
