/*
 * leak/modules: which objects there are and were.
 *
 * Entries are only added, each by one thread that reserved its number. Two threads that meet a new object at once may
 * both enter it: the same module with two numbers, which does no harm.
 *
 * Uses os. Locks: none.
 */
#include "leak/modules.h"

#include "os/object.h"

#include <string.h>

static const char *name_of(const struct os_object *object)
{
    return object->name == NULL || object->name[0] == '\0' ? os_program_path() : object->name;
}

/* The last bytes of a path that is too long: the file's name is there. */
static void copy_path(char *path_out, const char *path)
{
    size_t length = strlen(path);
    if (length >= MODULE_PATH_BYTES)
        path += length - (MODULE_PATH_BYTES - 1);
    memcpy(path_out, path, strlen(path) + 1);
}

static bool is_same(const struct module *module, const struct os_object *object)
{
    return module->start == object->start && module->end == object->end &&
           module->base == object->base && module->unwind_header == object->unwind_header;
}

/* An object may be loaded where another of the same size was: then only its contents tell. */
static bool is_same_file(const struct module *module, const struct module *other)
{
    return module->build_id_bytes == other->build_id_bytes &&
           memcmp(module->build_id, other->build_id, module->build_id_bytes) == 0 &&
           strcmp(module->path, other->path) == 0;
}

static void describe(struct module *module, const struct os_object *object, uint32_t now_ms)
{
    module->start = object->start;
    module->end = object->end;
    module->base = object->base;
    module->unwind_header = object->unwind_header;
    module->loaded_ms = now_ms;
    module->build_id_bytes =
        (uint32_t)os_object_build_id(object, module->build_id, MODULE_BUILD_ID_BYTES);
    copy_path(module->path, name_of(object));
}

static uint32_t count_of(const struct module_table *table)
{
    uint32_t count = atomic_load_explicit(&table->count, memory_order_acquire);
    return count < MODULE_COUNT_MAX ? count : MODULE_COUNT_MAX;
}

static enum module_state state_of(const struct module *module)
{
    return (enum module_state)atomic_load_explicit(&module->state, memory_order_acquire);
}

/* A file that comes back to where it was is the module it was: a program that loads it over and over needs one entry. */
static uint32_t find_again(struct module_table *table, const struct module *wanted)
{
    for (uint32_t i = 1; i < count_of(table); i++) {
        struct module *module = &table->modules[i];
        if (state_of(module) != MODULE_UNLOADED || module->start != wanted->start ||
            module->end != wanted->end || !is_same_file(module, wanted))
            continue;
        atomic_store_explicit(&module->state, MODULE_LOADED, memory_order_release);
        return i;
    }
    return 0;
}

uint32_t modules_number(struct module_table *table, const struct os_object *object, uint32_t now_ms)
{
    for (uint32_t i = 1; i < count_of(table); i++)
        if (state_of(&table->modules[i]) == MODULE_LOADED && is_same(&table->modules[i], object))
            return i;
    struct module module = {0};
    describe(&module, object, now_ms);
    uint32_t number = find_again(table, &module);
    if (number != 0 || count_of(table) == MODULE_COUNT_MAX)
        return number;
    number = atomic_fetch_add_explicit(&table->count, 1, memory_order_acq_rel);
    if (number >= MODULE_COUNT_MAX)
        return 0;
    describe(&table->modules[number], object, now_ms);
    atomic_store_explicit(&table->modules[number].state, MODULE_LOADED, memory_order_release);
    return number;
}

/*
 * Judged by what the loader says alone: another thread may be unloading the object just now, so nothing of it is
 * read. Its name lies in the loader's memory, which never goes away.
 */
static bool is_still_loaded(const struct module *module)
{
    struct os_object object;
    if (!os_object_find(module->start, &object) || !is_same(module, &object))
        return false;
    const char *name = name_of(&object);
    size_t length = strlen(module->path);
    return length == MODULE_PATH_BYTES - 1 || strncmp(module->path, name, length + 1) == 0;
}

void modules_refresh(struct module_table *table, uint32_t now_ms,
                     void (*gone)(uint32_t number, void *context), void *context)
{
    for (uint32_t i = 1; i < count_of(table); i++) {
        struct module *module = &table->modules[i];
        if (state_of(module) != MODULE_LOADED || is_still_loaded(module))
            continue;
        module->unloaded_ms = now_ms;
        atomic_store_explicit(&module->state, MODULE_UNLOADED, memory_order_release);
        gone(i, context);
    }
}
