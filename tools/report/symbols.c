/*
 * tools/report/symbols: with libdw.
 *
 * libdw's own ways from an address to a function walk a whole compilation unit each time, or the whole symbol table. Here
 * each file has a sorted table of its units and symbols, and each unit one of its functions, made when first needed; an
 * answer is then three binary searches and a walk down one function's inlined calls.
 */
#include "tools/report/symbols.h"

#include "tools/report/debug_file.h"
#include "tools/report/demangle.h"
#include "tools/report/memory.h"
#include "tools/report/units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct function {
    uint64_t start, end; /* end 0: the symbol has no size */
    const char *name;
    bool is_global;
};

struct symbols_module {
    struct symbols *owner;
    char *path;
    char *build_id;
    bool is_open;
    struct debug_file file;
    struct units *units;
    struct function *functions; /* of the symbol table, by start */
    size_t function_count;
    struct symbols_module *next;
};

struct symbols {
    char *root;
    struct symbols_module *modules;
    void **kept; /* what answers point to */
    size_t kept_count;
};

bool symbols_are_available(void)
{
    return true;
}

/* Every module keeps a descriptor or two open. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct symbols *symbols_open(const char *root)
{
    struct symbols *symbols = memory_take(1, sizeof *symbols);
    symbols->root = memory_copy(root);
    allow_many_files();
    /* libdw would ask servers named here, and wait for them. */
    unsetenv("DEBUGINFOD_URLS");
    return symbols;
}

static void close_module(struct symbols_module *module)
{
    units_close(module->units);
    if (module->is_open)
        debug_file_close(&module->file);
    free(module->functions);
    free(module->path);
    free(module->build_id);
    free(module);
}

void symbols_close(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    while (symbols->modules != NULL) {
        struct symbols_module *module = symbols->modules;
        symbols->modules = module->next;
        close_module(module);
    }
    for (size_t i = 0; i < symbols->kept_count; i++)
        free(symbols->kept[i]);
    free(symbols->kept);
    free(symbols->root);
    free(symbols);
}

static void *keep(struct symbols *symbols, void *memory)
{
    symbols->kept = memory_grow(symbols->kept, symbols->kept_count, sizeof *symbols->kept);
    symbols->kept[symbols->kept_count++] = memory;
    return memory;
}

struct symbols_module *symbols_module(struct symbols *symbols, const char *path,
                                      const char *build_id)
{
    for (struct symbols_module *known = symbols->modules; known != NULL; known = known->next)
        if (strcmp(known->path, path) == 0 && strcmp(known->build_id, build_id) == 0)
            return known;
    struct symbols_module *module = memory_take(1, sizeof *module);
    module->owner = symbols;
    module->path = memory_copy(path);
    module->build_id = memory_copy(build_id);
    module->next = symbols->modules;
    symbols->modules = module;
    return module;
}

const char *symbols_problem(const struct symbols_module *module)
{
    return module->is_open ? module->file.problem : NULL;
}

static bool is_function(const GElf_Sym *symbol)
{
    int type = GELF_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF &&
           symbol->st_value != 0;
}

static size_t underscores(const char *name)
{
    return strspn(name, "_");
}

/* Of several names for one place the last one is taken, the one people know: global, and with the fewest underscores. */
static int order_functions(const void *left, const void *right)
{
    const struct function *a = left;
    const struct function *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->is_global != b->is_global)
        return a->is_global ? 1 : -1;
    if (underscores(a->name) != underscores(b->name))
        return underscores(a->name) > underscores(b->name) ? -1 : 1;
    return strcmp(b->name, a->name);
}

static void load_functions(struct symbols_module *module)
{
    int count = dwfl_module_getsymtab(module->file.module);
    for (int i = 1; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(module->file.module, i, &symbol, &address, NULL,
                                                   NULL, NULL);
        if (name == NULL || *name == '\0' || !is_function(&symbol))
            continue;
        size_t at = module->function_count++;
        module->functions = memory_grow(module->functions, at, sizeof *module->functions);
        module->functions[at] = (struct function){
            .start = address,
            .end = symbol.st_size > 0 ? address + symbol.st_size : 0,
            .name = name,
            .is_global = GELF_ST_BIND(symbol.st_info) != STB_LOCAL,
        };
    }
    if (module->function_count > 0)
        qsort(module->functions, module->function_count, sizeof *module->functions,
              order_functions);
}

static void open_module(struct symbols_module *module)
{
    module->is_open = true;
    char *path = memory_format("%s%s", module->owner->root, module->path);
    debug_file_open(&module->file, path, module->build_id);
    free(path);
    if (module->file.module == NULL)
        return;
    load_functions(module);
    module->units = units_open(module->file.module);
}

/* The last function that begins at or before the address, if the address lies in it. */
static const struct function *function_at(const struct symbols_module *module, uint64_t address)
{
    size_t low = 0;
    size_t high = module->function_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (module->functions[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct function *found = &module->functions[low - 1];
    return found->end == 0 || address < found->end ? found : NULL;
}

static void set_names(struct symbols *symbols, struct symbol_frame *frame, const char *linkage)
{
    frame->linkage = linkage;
    char *signature = demangle(linkage, true);
    char *function = signature != NULL ? demangle(linkage, false) : NULL;
    frame->signature = signature != NULL ? keep(symbols, signature) : linkage;
    frame->function = function != NULL ? keep(symbols, function) : frame->signature;
}

/* "/build/x/../src/a.c" is "/build/src/a.c"; links are not looked at, the file need not exist. */
static char *without_dots(const char *path)
{
    char *result = memory_take(strlen(path) + 2, 1);
    size_t length = 0;
    for (const char *part = path; *part != '\0';) {
        const char *end = strchrnul(part, '/');
        size_t size = (size_t)(end - part);
        bool is_up = size == 2 && part[0] == '.' && part[1] == '.';
        char *before = length > 1 ? memrchr(result, '/', length - 1) : NULL;
        bool can_go_up = before != NULL && strcmp(before, "/../") != 0 && before[1] != '/';
        if (is_up && can_go_up) {
            length = (size_t)(before - result) + 1;
        } else if (!(size == 1 && part[0] == '.') && (size > 0 || length == 0)) {
            memcpy(result + length, part, size);
            length += size;
            if (*end == '/')
                result[length++] = '/';
        }
        result[length] = '\0';
        part = *end == '/' ? end + 1 : end;
    }
    return result;
}

static const char *file_name(struct symbols *symbols, const char *file)
{
    return file != NULL && strstr(file, "/.") != NULL ? keep(symbols, without_dots(file)) : file;
}

/* libc's own names for its functions are not those that programs call: __strdup is strdup. */
static const char *known_name(const char *name, const struct function *function)
{
    if (function == NULL)
        return name;
    bool is_alias = name != NULL && underscores(name) >= 2 &&
                    underscores(function->name) < underscores(name) &&
                    strcmp(name + underscores(name), function->name + underscores(function->name)) == 0;
    return name == NULL || is_alias ? function->name : name;
}

static struct symbol from_units(struct symbols_module *module, uint64_t address)
{
    struct unit_place places[UNIT_PLACES_MAX];
    size_t count = units_find(module->units, address, places);
    const struct function *outermost = function_at(module, address);
    struct symbol_frame *frames = memory_take(count, sizeof *frames);
    for (size_t i = 0; i < count; i++) {
        const char *name = places[i].name;
        bool is_outermost = i + 1 == count;
        if (is_outermost)
            name = known_name(name, outermost);
        if (name != NULL)
            set_names(module->owner, &frames[i], name);
        frames[i].file = file_name(module->owner, places[i].file);
        frames[i].folder = places[i].folder;
        frames[i].line = places[i].line;
        frames[i].is_inlined = !is_outermost;
    }
    keep(module->owner, frames);
    return (struct symbol){frames, count};
}

static struct symbol from_symbol_table(struct symbols_module *module, uint64_t address)
{
    const struct function *function = function_at(module, address);
    if (function == NULL)
        return (struct symbol){NULL, 0};
    struct symbol_frame *frame = keep(module->owner, memory_take(1, sizeof *frame));
    set_names(module->owner, frame, function->name);
    return (struct symbol){frame, 1};
}

struct symbol symbols_find(struct symbols_module *module, uint64_t offset)
{
    if (!module->is_open)
        open_module(module);
    if (module->file.module == NULL || offset == 0)
        return (struct symbol){NULL, 0};
    /* A call may be the last instruction of its line or function. */
    struct symbol symbol = from_units(module, offset - 1);
    return symbol.count > 0 ? symbol : from_symbol_table(module, offset - 1);
}
