/*
 * config: what the server goes by, read from a JSON file. Counted: each request that is being answered has a reference to the
 * configuration it began with, so a new one takes over at once, and the old one ends with its last request.
 */
#ifndef PORTS_CONFIG_H
#define PORTS_CONFIG_H

#include <gcalloc/arena.h>
#include <gcalloc/own.h>

#include <pthread.h>

struct config {
    char *greeting;
    char *root; /* folder of files; "" when there are none */
    size_t body_bytes_max;
    int version; /* counts the configurations since the start */
};

/* The server's present one, and who may change it. */
struct config_place {
    pthread_mutex_t lock;
    struct config *now GCA_GUARDED_BY(lock);
    int versions GCA_GUARDED_BY(lock);
};

/* A reference, given up with gca_release(); NULL when there is none yet. */
struct config *config_get(struct config_place *place) GCA_NEEDS_NOT(&place->lock) GCA_OWNED(gca_release);

/* Reads the file and puts what it says into the place. NULL, or a text in the arena that says what is wrong. */
const char *config_load(struct config_place *place, gca_arena *arena, const char *path) GCA_NEEDS_NOT(&place->lock)
    GCA_READS(arena);

/* Takes the configuration away: config_get() returns NULL from then on. */
void config_forget(struct config_place *place) GCA_NEEDS_NOT(&place->lock);

#endif
