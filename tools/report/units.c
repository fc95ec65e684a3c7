#include "tools/report/units.h"

#include "tools/report/memory.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* [start, end) belongs to this: a unit's number, or a function's entry. */
struct range {
    uint64_t start, end;
    union {
        size_t unit;
        Dwarf_Die function;
    } of;
};

struct ranges {
    struct range *list;
    size_t count;
};

struct unit {
    Dwarf_Die die;   /* lines hang here */
    Dwarf_Die split; /* the same, or what -gsplit-dwarf has put elsewhere: functions hang here */
    const char *folder;
    bool has_functions;
    struct ranges functions;
};

struct units {
    Dwarf_Addr bias; /* what the debug file's addresses lack */
    struct unit *list;
    size_t count;
    struct ranges ranges;
};

static int order_ranges(const void *left, const void *right)
{
    const struct range *a = left;
    const struct range *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

static void sort(struct ranges *ranges)
{
    if (ranges->count > 0)
        qsort(ranges->list, ranges->count, sizeof *ranges->list, order_ranges);
}

/* Code that the linker dropped is left at 0 or at the end of the address space. */
static bool is_code(Dwarf_Addr start, Dwarf_Addr end)
{
    return start != 0 && start < end && end < (Dwarf_Addr)-4096;
}

/* Adds what the entry covers; the caller says whose it is. Returns the first one's place. */
static size_t add_ranges(struct ranges *ranges, Dwarf_Die *die)
{
    size_t first = ranges->count;
    ptrdiff_t at = 0;
    Dwarf_Addr base;
    Dwarf_Addr start;
    Dwarf_Addr end;
    while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
        if (!is_code(start, end))
            continue;
        ranges->list = memory_grow(ranges->list, ranges->count, sizeof *ranges->list);
        ranges->list[ranges->count++] = (struct range){.start = start, .end = end};
    }
    return first;
}

/* Ranges hardly ever overlap; where they do, the one that starts last is the innermost. */
static const struct range *range_at(const struct ranges *ranges, uint64_t address)
{
    enum { TRIES = 8 };
    size_t low = 0;
    size_t high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->list[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (int i = 0; i < TRIES && low > 0; i++)
        if (address < ranges->list[--low].end)
            return &ranges->list[low];
    return NULL;
}

static const char *text_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static void add_unit(struct units *units, Dwarf_Die *die)
{
    Dwarf_Half version;
    uint8_t type;
    Dwarf_Die own;
    Dwarf_Die split = {.addr = NULL};
    if (dwarf_cu_info(die->cu, &version, &type, &own, &split, NULL, NULL, NULL) != 0 ||
        (type != DW_UT_compile && type != DW_UT_skeleton))
        return;
    size_t at = units->count++;
    units->list = memory_grow(units->list, at, sizeof *units->list);
    units->list[at] = (struct unit){
        .die = *die,
        .split = type == DW_UT_skeleton && split.addr != NULL ? split : *die,
        .folder = text_of(die, DW_AT_comp_dir),
    };
    for (size_t i = add_ranges(&units->ranges, die); i < units->ranges.count; i++)
        units->ranges.list[i].of.unit = at;
}

struct units *units_open(Dwfl_Module *module)
{
    Dwarf_Addr bias;
    if (dwfl_module_getdwarf(module, &bias) == NULL)
        return NULL;
    struct units *units = memory_take(1, sizeof *units);
    units->bias = bias;
    Dwarf_Die *die = NULL;
    while ((die = dwfl_module_nextcu(module, die, &bias)) != NULL)
        add_unit(units, die);
    sort(&units->ranges);
    return units;
}

void units_close(struct units *units)
{
    if (units == NULL)
        return;
    for (size_t i = 0; i < units->count; i++)
        free(units->list[i].functions.list);
    free(units->list);
    free(units->ranges.list);
    free(units);
}

static bool holds_functions(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
           tag == DW_TAG_structure_type;
}

/* Hostile files nest without end. */
enum { DEPTH_MAX = 200 };

static void add_functions(struct ranges *functions, Dwarf_Die *parent, int depth)
{
    Dwarf_Die die;
    if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return;
    do {
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_subprogram) {
            for (size_t i = add_ranges(functions, &die); i < functions->count; i++)
                functions->list[i].of.function = die;
        } else if (holds_functions(tag))
            add_functions(functions, &die, depth + 1);
    } while (dwarf_siblingof(&die, &die) == 0);
}

static const struct range *function_at(struct unit *unit, uint64_t address)
{
    if (!unit->has_functions) {
        unit->has_functions = true;
        add_functions(&unit->functions, &unit->split, 0);
        sort(&unit->functions);
    }
    return range_at(&unit->functions, address);
}

/* The part of the entry that holds the address, if one does: a block or an inlined call. */
static bool step_inside(Dwarf_Die *die, uint64_t address)
{
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0)
        return false;
    do {
        int tag = dwarf_tag(&child);
        if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
            dwarf_haspc(&child, address) == 1) {
            *die = child;
            return true;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* The function and the calls inlined at the address, outermost first. */
static size_t inlined_chain(const Dwarf_Die *function, uint64_t address, Dwarf_Die *chain_out)
{
    Dwarf_Die die = *function;
    size_t count = 0;
    chain_out[count++] = die;
    for (int depth = 0; depth < DEPTH_MAX && step_inside(&die, address); depth++)
        if (dwarf_tag(&die) == DW_TAG_inlined_subroutine && count < UNIT_PLACES_MAX)
            chain_out[count++] = die;
    return count;
}

/* The linker's name where that is a mangled one: it says more. For C it is an alias, as libc's __GI_ names are. */
static const char *name_of(Dwarf_Die *die)
{
    const char *linkage = text_of(die, DW_AT_linkage_name);
    if (linkage == NULL)
        linkage = text_of(die, DW_AT_MIPS_linkage_name);
    bool is_mangled = linkage != NULL && linkage[0] == '_' && linkage[1] != '\0' &&
                      strchr("ZRD", linkage[1]) != NULL;
    const char *name = is_mangled ? NULL : dwarf_diename(die);
    return name != NULL ? name : linkage;
}

static unsigned number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0 || value > UINT32_MAX)
        return 0;
    return (unsigned)value;
}

static void set_line(struct unit *unit, uint64_t address, struct unit_place *place)
{
    Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
    int number;
    if (line == NULL)
        return;
    place->file = dwarf_linesrc(line, NULL, NULL);
    if (dwarf_lineno(line, &number) == 0 && number > 0)
        place->line = (unsigned)number;
}

/* Where an inlined function was called: that is where its caller stands. */
static void set_call(struct unit *unit, Dwarf_Die *inlined, struct unit_place *place)
{
    Dwarf_Files *files;
    size_t count;
    unsigned number = number_of(inlined, DW_AT_call_file);
    if (dwarf_getsrcfiles(&unit->split, &files, &count) == 0 && number < count)
        place->file = dwarf_filesrc(files, number, NULL, NULL);
    place->line = number_of(inlined, DW_AT_call_line);
}

size_t units_find(struct units *units, uint64_t address, struct unit_place *places_out)
{
    Dwarf_Die chain[UNIT_PLACES_MAX];
    if (units == NULL)
        return 0;
    address -= units->bias;
    const struct range *range = range_at(&units->ranges, address);
    if (range == NULL)
        return 0;
    struct unit *unit = &units->list[range->of.unit];
    const struct range *function = function_at(unit, address);
    size_t count = function != NULL ? inlined_chain(&function->of.function, address, chain) : 1;
    for (size_t i = 0; i < count; i++) {
        struct unit_place *place = &places_out[i];
        *place = (struct unit_place){.folder = unit->folder};
        if (function != NULL)
            place->name = name_of(&chain[count - 1 - i]);
        if (i == 0)
            set_line(unit, address, place);
        else
            set_call(unit, &chain[count - i], place);
    }
    return count;
}
