/* tools/report/symbols, built without libdw: every frame stays module and offset. */
#include "tools/report/symbols.h"

#include "tools/report/memory.h"

#include <stdlib.h>

struct symbols_module {
    struct symbols_module *next;
};

/* One module serves for all: it knows nothing. */
struct symbols {
    struct symbols_module only;
};

bool symbols_are_available(void)
{
    return false;
}

struct symbols *symbols_open(const char *root)
{
    (void)root;
    return memory_take(1, sizeof(struct symbols));
}

void symbols_close(struct symbols *symbols)
{
    free(symbols);
}

struct symbols_module *symbols_module(struct symbols *symbols, const char *path,
                                      const char *build_id)
{
    (void)path;
    (void)build_id;
    return &symbols->only;
}

const char *symbols_problem(const struct symbols_module *module)
{
    (void)module;
    return "this gcalloc was built without libdw";
}

struct symbol symbols_find(struct symbols_module *module, uint64_t offset)
{
    (void)module;
    (void)offset;
    return (struct symbol){NULL, 0};
}
