/* config: reading a configuration, and handing it to who asks. */
#include "config.h"

#include "json.h"

#include <gcalloc/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void config_drop(void *object)
{
    struct config *config = object;
    free(config->greeting);
    free(config->root);
}

GCA_TYPE(struct config, .drop = config_drop);

static struct config *config_make(const struct json *document)
{
    char *greeting = strdup(json_string(document, "greeting", "hello"));
    char *root = strdup(json_string(document, "root", ""));
    struct config *config = gca_rc_new(struct config);
    if (greeting == NULL || root == NULL || config == NULL) {
        free(greeting);
        free(root);
        gca_release(config);
        return NULL;
    }
    config->greeting = greeting;
    config->root = root;
    config->body_bytes_max = (size_t)json_number(document, "body_bytes_max", 1 << 20);
    return config;
}

struct config *config_get(struct config_place *place)
{
    gca_guard_mutex(guard, &place->lock);
    return gca_retain(place->now);
}

/* The old one is released outside of the lock: that may be its end. */
static void config_put(struct config_place *place, struct config *config) GCA_NEEDS_NOT(&place->lock) GCA_KEEPS(config, 2);
static void config_put(struct config_place *place, struct config *config)
{
    struct config *old;
    {
        gca_guard_mutex(guard, &place->lock);
        if (config != NULL)
            config->version = ++place->versions;
        old = gca_replace(place->now, config);
    }
    gca_release(old);
}

const char *config_load(struct config_place *place, gca_arena *arena, const char *path)
{
    size_t length;
    struct json_error error;
    char *text = gca_arena_read_file(arena, path, &length);
    if (text == NULL)
        return gca_arena_printf(arena, "%s: %s", path, strerror(errno));
    const struct json *document = json_read(arena, text, length, &error);
    if (document == NULL)
        return gca_arena_printf(arena, "%s:%zu:%zu: %s", path, error.line, error.column, error.reason);
    if (json_number(document, "body_bytes_max", 0) < 0)
        return gca_arena_printf(arena, "%s: body_bytes_max is negative", path);
    struct config *config = config_make(document);
    if (config == NULL)
        return gca_arena_printf(arena, "%s: %s", path, strerror(ENOMEM));
    gca_share_freely(config);
    config_put(place, config);
    return NULL;
}

void config_forget(struct config_place *place)
{
    config_put(place, NULL);
}
