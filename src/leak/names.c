/*
 * leak/names: the functions that frames of call stacks are in.
 *
 * Locks: none; one report is made at a time.
 */
#include "leak/names.h"

#include "leak/symbols.h"

#include <stdbool.h>
#include <string.h>

enum { CACHE_ENTRIES = 4096 };

static struct symbols files[MODULE_COUNT_MAX];

/* Frames are met again and again. */
static struct {
    uint64_t frame;
    const char *name;
} cache[CACHE_ENTRIES];

static const struct module *module_of(const struct leak_tables *tables, uint64_t frame)
{
    uint64_t number = frame >> FRAME_MODULE_SHIFT;
    return number != 0 && number < MODULE_COUNT_MAX ? &tables->modules->modules[number] : NULL;
}

const char *names_function(const struct leak_tables *tables, uint64_t frame)
{
    const struct module *module = module_of(tables, frame);
    if (module == NULL)
        return "";
    size_t place = (frame * UINT64_C(0x9e3779b97f4a7c15) >> 40) % CACHE_ENTRIES;
    if (cache[place].frame == frame && cache[place].name != NULL)
        return cache[place].name;
    struct symbols *symbols = &files[frame >> FRAME_MODULE_SHIFT];
    if (symbols->file == NULL)
        symbols_open(symbols, module->path);
    cache[place].frame = frame;
    cache[place].name = symbols_find(symbols, (frame & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)) - module->base);
    return cache[place].name;
}

const char *names_module(const struct leak_tables *tables, uint64_t frame)
{
    const struct module *module = module_of(tables, frame);
    return module != NULL ? module->path : "";
}

void names_drop(void)
{
    for (size_t i = 0; i < MODULE_COUNT_MAX; i++)
        if (files[i].file != NULL)
            symbols_close(&files[i]);
    memset(cache, 0, sizeof cache);
}

/* ---- C++ ---- */

struct plain {
    const char *next;
    char *name;
    size_t length;
    size_t last; /* where its last part begins */
};

static bool add_part(struct plain *plain, const char *text, size_t length)
{
    size_t separator = plain->length != 0 ? 2 : 0;
    if (plain->length + separator + length >= NAME_BYTES)
        return false;
    memcpy(plain->name + plain->length, "::", separator);
    plain->last = plain->length + separator;
    memcpy(plain->name + plain->last, text, length);
    plain->length = plain->last + length;
    return true;
}

/* <length><name> */
static bool read_part(struct plain *plain)
{
    size_t length = 0;
    while (*plain->next >= '0' && *plain->next <= '9' && length < NAME_BYTES)
        length = 10 * length + (size_t)(*plain->next++ - '0');
    if (length == 0 || memchr(plain->next, 0, length) != NULL)
        return false;
    plain->next += length;
    return add_part(plain, plain->next - length, length);
}

/* Arguments of a template are left out: what stands between I and its E. */
static bool skip_arguments(struct plain *plain)
{
    unsigned depth = 0;
    do {
        char code = *plain->next;
        if (code == '\0')
            return false;
        if (code >= '0' && code <= '9') {
            size_t length = 0;
            while (*plain->next >= '0' && *plain->next <= '9' && length < NAME_BYTES)
                length = 10 * length + (size_t)(*plain->next++ - '0');
            if (memchr(plain->next, 0, length) != NULL)
                return false;
            plain->next += length;
            continue;
        }
        depth += code == 'I' || code == 'N' || code == 'L' || code == 'X' || code == 'J' || code == 'F';
        depth -= code == 'E';
        plain->next++;
    } while (depth != 0);
    return true;
}

/* A constructor or destructor bears its class's name. */
static bool add_own_class(struct plain *plain, bool is_destructor)
{
    char copy[NAME_BYTES];
    size_t length = plain->length - plain->last;
    if (length + 1 >= sizeof copy || plain->length == 0)
        return false;
    copy[0] = '~';
    memcpy(copy + 1, plain->name + plain->last, length);
    plain->next += 2;
    return add_part(plain, is_destructor ? copy : copy + 1, length + is_destructor);
}

static bool read_nested(struct plain *plain)
{
    while (*plain->next == 'K' || *plain->next == 'V' || *plain->next == 'r')
        plain->next++;
    while (*plain->next != 'E') {
        bool is_read;
        if (strncmp(plain->next, "St", 2) == 0) {
            plain->next += 2;
            is_read = add_part(plain, "std", 3);
        } else if (*plain->next == 'I') {
            is_read = skip_arguments(plain);
        } else if (*plain->next == 'C' || *plain->next == 'D') {
            is_read = add_own_class(plain, *plain->next == 'D');
        } else {
            is_read = read_part(plain);
        }
        if (!is_read)
            return false;
    }
    return plain->length != 0;
}

bool names_plain(const char *symbol, char name_out[NAME_BYTES])
{
    struct plain plain = {.next = symbol + 2, .name = name_out};
    if (strncmp(symbol, "_Z", 2) != 0)
        return false;
    bool is_read;
    if (*plain.next == 'N') {
        plain.next++;
        is_read = read_nested(&plain);
    } else {
        if (*plain.next == 'L')
            plain.next++;
        is_read = read_part(&plain);
    }
    name_out[plain.length] = '\0';
    return is_read;
}
