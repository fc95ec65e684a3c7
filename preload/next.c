/*
 * preload/next: the function behind a wrapper.
 *
 * The objects are those the loader lists, behind ours in its order; each one's table of symbols is searched by its hash.
 * Objects that were there at the start never go away, and new ones are linked in at the end, so no lock is needed.
 *
 * If another preloaded library wraps the same call, it is called as we were, without a region: it is not libc.
 *
 * Locks: none. Two threads that look up the same name find the same.
 */
#include "preload/next.h"

#include "gc/threads.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

IN_FEW_PROCESSES next_any *next_table[NEXT_COUNT];

typedef long five_arguments(long, long, long, long, long);
typedef long six_arguments(long, long, long, long, long, long);

IN_FEW_PROCESSES static _Atomic bool is_libcs[NEXT_COUNT];

/* Arrays, not pointers: these lie with what every program needs. */
static const char names[NEXT_COUNT][24] = {
#define NEXT(name) #name,
#include "preload/next.def"
#undef NEXT
};

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

enum { VERSION_HIDDEN = 0x8000 };

/* An object's tables. */
struct object {
    uintptr_t base;
    const uint32_t *hash;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint16_t *versions;
};

/* glibc makes addresses of what the file holds as offsets; the kernel, in its own object, does not. */
static const void *address_in(const struct link_map *map, uintptr_t value)
{
    return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

static bool open_object(const struct link_map *map, struct object *object_out)
{
    struct object object = {.base = map->l_addr};
    if (map->l_ld == NULL)
        return false;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        const void *address = address_in(map, entry->d_un.d_ptr);
        if (entry->d_tag == DT_GNU_HASH)
            object.hash = address;
        else if (entry->d_tag == DT_SYMTAB)
            object.symbols = address;
        else if (entry->d_tag == DT_STRTAB)
            object.strings = address;
        else if (entry->d_tag == DT_VERSYM)
            object.versions = address;
    }
    *object_out = object;
    return object.hash != NULL && object.symbols != NULL && object.strings != NULL;
}

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* The default version of a function, as a program built today would get it; or 0. */
static uintptr_t search(const struct object *object, const char *name)
{
    uint32_t hash = hash_of(name);
    const uint32_t *header = object->hash;
    uint32_t bucket_count = header[0];
    uint32_t first_symbol = header[1];
    const uint32_t *buckets = header + 4 + header[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chains = buckets + bucket_count;
    uint32_t index = bucket_count != 0 ? buckets[hash % bucket_count] : 0;
    if (index < first_symbol)
        return 0;
    for (;; index++) {
        const ElfW(Sym) *symbol = &object->symbols[index];
        uint32_t stored = chains[index - first_symbol];
        if ((stored | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
            ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            (object->versions == NULL || (object->versions[index] & VERSION_HIDDEN) == 0) &&
            strcmp(object->strings + symbol->st_name, name) == 0)
            return object->base + symbol->st_value;
        if ((stored & 1) != 0)
            return 0;
    }
}

static bool is_libc(const struct object *object)
{
    /* The second is for libpthread, which old libcs have apart. */
    static const char marks[2][24] = {"__libc_start_main", "__pthread_key_create"};
    return search(object, marks[0]) != 0 || search(object, marks[1]) != 0;
}

/* Searches the objects from `map` on, ours left out. */
static uintptr_t search_from(const struct link_map *map, const char *name, bool *is_libcs_out)
{
    for (; map != NULL; map = map->l_next) {
        struct object object;
        uintptr_t address = 0;
        if (map->l_ld != _DYNAMIC && open_object(map, &object))
            address = search(&object, name);
        if (address == 0)
            continue;
        *is_libcs_out = is_libc(&object);
        return address;
    }
    return 0;
}

static long missing(void)
{
    errno = ENOSYS;
    return -1;
}

next_any *next_find(enum next_name name)
{
    const struct link_map *first = _r_debug.r_map;
    const struct link_map *own = first;
    bool from_libc = false;
    while (own != NULL && own->l_ld != _DYNAMIC)
        own = own->l_next;
    uintptr_t address = own != NULL ? search_from(own, names[name], &from_libc) : 0;
    if (address == 0) /* opened late, we stand behind libc */
        address = search_from(first, names[name], &from_libc);
    is_libcs[name] = from_libc;
    next_any *function = address != 0 ? (next_any *)address : (next_any *)missing;
    __atomic_store_n(&next_table[name], function, __ATOMIC_RELEASE);
    return function;
}

NOINLINE static long call_in_region(long a, long b, long c, long d, long e, long f, long g,
                                    enum next_name name)
{
    region_function *function = (region_function *)next_function(name);
    if (!is_libcs[name])
        return function(a, b, c, d, e, f, g);
    if (UNLIKELY(thread_self == NULL))
        thread_register(0, 0); /* where its stack lies can't be asked here: that allocates */
    return region_call(function, a, b, c, d, e, f, g);
}

long next_call(long a, long b, long c, long d, long e, enum next_name name)
{
    if (LIKELY(!region_is_on))
        return ((five_arguments *)next_function(name))(a, b, c, d, e);
    return call_in_region(a, b, c, d, e, 0, 0, name);
}

long next_call_6(long a, long b, long c, long d, long e, long f, enum next_name name)
{
    if (LIKELY(!region_is_on))
        return ((six_arguments *)next_function(name))(a, b, c, d, e, f);
    return call_in_region(a, b, c, d, e, f, 0, name);
}

long next_call_7(long a, long b, long c, long d, long e, long f, long g, enum next_name name)
{
    if (LIKELY(!region_is_on))
        return ((region_function *)next_function(name))(a, b, c, d, e, f, g);
    return call_in_region(a, b, c, d, e, f, g, name);
}
