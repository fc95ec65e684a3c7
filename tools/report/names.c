#include "tools/report/names.h"

#include "tools/report/memory.h"
#include "tools/report/progress.h"
#include "tools/report/source.h"
#include "tools/say.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct report_address address;
    struct symbol symbol;
    bool is_used;
};

/* What a report has brought along: frames, and the JSON that has their strings. */
struct kept {
    struct symbol_frame *frames;
    json_t *item;
};

/* An open hash table, doubled when half full. */
struct names {
    const struct report *report;
    struct symbols *symbols;
    struct symbols_module **modules; /* by the report's number; NULL until asked for */
    struct entry *entries;
    size_t capacity;
    size_t count;
    struct kept *kept;
    size_t kept_count;
};

enum { CAPACITY_FIRST = 1024 };

struct names *names_make(const struct report *report, struct symbols *symbols)
{
    struct names *names = memory_take(1, sizeof *names);
    names->report = report;
    names->symbols = symbols;
    names->modules = memory_take(report->module_count, sizeof *names->modules);
    names->capacity = CAPACITY_FIRST;
    names->entries = memory_take(names->capacity, sizeof *names->entries);
    return names;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->kept_count; i++) {
        free(names->kept[i].frames);
        json_decref(names->kept[i].item);
    }
    free(names->kept);
    free(names->entries);
    free(names->modules);
    free(names);
}

static struct entry *entry_of(struct names *names, const struct report_address *address)
{
    uint64_t hash = (address->offset + (uint64_t)(address->module + 1) * 0x9e3779b97f4a7c15u);
    hash = (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9u;
    size_t at = (size_t)(hash >> 20) & (names->capacity - 1);
    while (names->entries[at].is_used && (names->entries[at].address.module != address->module ||
                                          names->entries[at].address.offset != address->offset))
        at = (at + 1) & (names->capacity - 1);
    return &names->entries[at];
}

static void make_room(struct names *names)
{
    if (2 * names->count < names->capacity)
        return;
    struct entry *old = names->entries;
    size_t old_capacity = names->capacity;
    names->capacity *= 2;
    names->entries = memory_take(names->capacity, sizeof *names->entries);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].is_used)
            *entry_of(names, &old[i].address) = old[i];
    free(old);
}

static int order_names(const void *left, const void *right)
{
    const struct report_address *a = &((const struct report_name *)left)->address;
    const struct report_address *b = &((const struct report_name *)right)->address;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static const char *text_in(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static struct symbol_frame frame_in(const json_t *item)
{
    struct symbol_frame frame = {
        .function = text_in(item, "function"),
        .signature = text_in(item, "signature"),
        .linkage = text_in(item, "linkage_name"),
        .file = text_in(item, "file"),
        .folder = text_in(item, "folder"),
        .is_inlined = json_is_true(json_object_get(item, "inlined")),
    };
    json_int_t line = json_integer_value(json_object_get(item, "line"));
    frame.line = line > 0 && line <= INT32_MAX ? (unsigned)line : 0;
    if (frame.signature == NULL)
        frame.signature = frame.function;
    if (frame.linkage == NULL)
        frame.linkage = frame.function;
    return frame;
}

/* What an earlier `gcalloc report --json` found, maybe on another machine. */
static bool find_in_report(struct names *names, const struct report_address *address,
                           struct symbol *symbol_out)
{
    struct report_name wanted = {.address = *address};
    const struct report *report = names->report;
    const struct report_name *found =
        report->name_count > 0 ? bsearch(&wanted, report->names, report->name_count,
                                         sizeof *report->names, order_names)
                               : NULL;
    if (found == NULL)
        return false;
    json_t *item = source_item(report->source, LIST_SYMBOLS, found->item);
    const json_t *list = json_object_get(item, "frames");
    size_t count = json_array_size(list);
    struct symbol_frame *frames = memory_take(count, sizeof *frames);
    for (size_t i = 0; i < count; i++)
        frames[i] = frame_in(json_array_get(list, i));
    names->kept = memory_grow(names->kept, names->kept_count, sizeof *names->kept);
    names->kept[names->kept_count++] = (struct kept){frames, item};
    *symbol_out = (struct symbol){frames, count};
    return true;
}

static struct symbol look_up(struct names *names, const struct report_address *address)
{
    struct symbol symbol = {NULL, 0};
    if (address->module < 0 || find_in_report(names, address, &symbol))
        return symbol;
    const struct report_module *module = &names->report->modules[address->module];
    struct symbols_module **known = &names->modules[address->module];
    if (*known == NULL) {
        progress_say("reading symbols of %s", module->path);
        *known = symbols_module(names->symbols, module->path, module->build_id);
    }
    return symbols_find(*known, address->offset);
}

struct symbol names_find(struct names *names, const struct report_address *address)
{
    struct entry *entry = entry_of(names, address);
    if (entry->is_used)
        return entry->symbol;
    struct symbol symbol = look_up(names, address);
    *entry = (struct entry){.address = *address, .symbol = symbol, .is_used = true};
    names->count++;
    make_room(names);
    return symbol;
}

static bool is_among(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

static bool begins_with_any(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(name, list[i], strlen(list[i])) == 0)
            return true;
    return false;
}

/* Our own code: what malloc() comes to, and what hands a thread's function on. */
static bool is_ours(const struct report *report, const struct trace_frame *frame)
{
    static const char library[] = "libgcalloc.so";
    return frame->address->module >= 0 &&
           strncmp(text_base_name(report->modules[frame->address->module].path), library, sizeof library - 1) == 0;
}

/* What hands memory on and is the same under every leak. */
static bool is_allocator(const struct report *report, const struct trace_frame *frame)
{
    static const char *const names[] = {
        "malloc", "calloc", "realloc", "reallocarray", "memalign", "posix_memalign",
        "aligned_alloc", "valloc", "pvalloc", "operator new", "operator new[]", "__rust_alloc",
        "__rust_realloc", "__rust_alloc_zeroed",
    };
    static const char *const beginnings[] = {
        "__gnu_cxx::new_allocator<", "std::__new_allocator<", "std::allocator<",
        "std::allocator_traits<", "alloc::alloc::", "alloc::raw_vec::", "<alloc::alloc::",
        "<alloc::raw_vec::", "__rdl_",
    };
    if (is_ours(report, frame))
        return true;
    const char *function = frame->symbol != NULL ? frame->symbol->function : NULL;
    if (function == NULL)
        return false;
    return begins_with_any(function, beginnings, sizeof beginnings / sizeof beginnings[0]) ||
           is_among(function, names, sizeof names / sizeof names[0]);
}

/* In C++ anybody may have a namespace of the names below. Rust's old mangling ends in a hash, its new one begins with _R. */
static bool is_of_rust(const struct symbol_frame *symbol)
{
    enum { HASH_DIGITS = 16 };
    if (symbol->linkage == NULL || strncmp(symbol->linkage, "_Z", 2) != 0)
        return true;
    const char *hash = strstr(symbol->linkage, "17h");
    return hash != NULL && strspn(hash + 3, "0123456789abcdef") == HASH_DIGITS;
}

/* "<u32 as core::fmt::Display>::fmt", and not "<shop::Item as core::clone::Clone>::clone". */
static bool is_for_plain_type(const char *function)
{
    static const char *const traits[] = {"core::", "alloc::", "std::"};
    const char *as = strstr(function, " as ");
    if (*function != '<' || as == NULL || !begins_with_any(as + 4, traits, sizeof traits / sizeof traits[0]))
        return false;
    const char *type = function + 1 + strspn(function + 1, "&*");
    type += strncmp(type, "mut ", 4) == 0 ? 4 : 0;
    return memmem(type, (size_t)(as - type), "::", 2) == NULL || begins_with_any(type, traits, sizeof traits / sizeof traits[0]);
}

bool names_is_standard(const struct trace_frame *frame)
{
    static const char *const everywhere[] = {"std::", "<std::", "__gnu_cxx::"};
    static const char *const of_rust[] = {"alloc::", "<alloc::", "core::", "<core::", "hashbrown::", "<hashbrown::"};
    const char *function = frame->symbol != NULL ? frame->symbol->function : NULL;
    if (function == NULL)
        return false;
    if (begins_with_any(function, everywhere, sizeof everywhere / sizeof everywhere[0]))
        return true;
    return is_of_rust(frame->symbol) &&
           (begins_with_any(function, of_rust, sizeof of_rust / sizeof of_rust[0]) || is_for_plain_type(function));
}

/* What calls main() and the functions of threads. */
static bool is_start(const struct report *report, const struct trace_frame *frame)
{
    static const char *const names[] = {
        "_start",       "__libc_start_main", "__libc_start_main_impl", "__libc_start_call_main",
        "start_thread", "__clone",           "__clone3",               "clone3",
        "clone",        "__libc_start_main_alias_2", "__libc_start_main@@GLIBC_2.34",
    };
    return is_ours(report, frame) || (frame->symbol != NULL && frame->symbol->function != NULL &&
                                      is_among(frame->symbol->function, names, sizeof names / sizeof names[0]));
}

/* libc without symbols is in libc all the same: its frames outside main() or at the thread's start are the last two. */
static bool is_libc(const struct report *report, const struct trace_frame *frame)
{
    return frame->address->module >= 0 && frame->symbol == NULL &&
           strcmp(text_base_name(report->modules[frame->address->module].path), "libc.so.6") == 0;
}

/* Rust's run time has a function by this name below what a thread runs: its own backtraces end there. */
static size_t without_rust_start(const struct trace *trace, size_t begin, size_t end)
{
    for (size_t i = begin + 1; i < end; i++) {
        const struct symbol_frame *symbol = trace->frames[i].symbol;
        if (symbol != NULL && symbol->function != NULL &&
            strstr(symbol->function, "__rust_begin_short_backtrace") != NULL)
            return i;
    }
    return end;
}

static void trim(const struct report *report, struct trace *trace)
{
    size_t begin = 0;
    size_t end = trace->count;
    while (begin < end && is_allocator(report, &trace->frames[begin]))
        begin++;
    /* In a stripped program nobody knows _start(), the outermost. */
    if (end > begin + 1 && trace->frames[end - 1].symbol == NULL &&
        (is_start(report, &trace->frames[end - 2]) || is_libc(report, &trace->frames[end - 2])))
        end--;
    while (end > begin &&
           (is_start(report, &trace->frames[end - 1]) || is_libc(report, &trace->frames[end - 1])))
        end--;
    end = without_rust_start(trace, begin, end);
    if (begin == end)
        return;
    memmove(trace->frames, trace->frames + begin, (end - begin) * sizeof *trace->frames);
    trace->count = end - begin;
}

struct trace names_trace(struct names *names, int32_t stack_index, bool is_trimmed)
{
    struct trace trace = {NULL, 0};
    if (stack_index < 0)
        return trace;
    const struct report_stack *stack = &names->report->stacks[stack_index];
    for (size_t i = 0; i < stack->count; i++) {
        struct symbol symbol = names_find(names, &stack->addresses[i]);
        size_t count = symbol.count > 0 ? symbol.count : 1;
        for (size_t j = 0; j < count; j++) {
            trace.frames = memory_grow(trace.frames, trace.count, sizeof *trace.frames);
            trace.frames[trace.count++] = (struct trace_frame){
                .address = &stack->addresses[i],
                .symbol = symbol.count > 0 ? &symbol.frames[j] : NULL,
            };
        }
    }
    if (is_trimmed)
        trim(names->report, &trace);
    return trace;
}

char *names_place(const struct report *report, const struct report_address *address)
{
    if (address->module < 0)
        return memory_format("0x%" PRIx64, address->offset);
    return memory_format("%s+0x%" PRIx64, text_base_name(report->modules[address->module].path),
                         address->offset);
}

char *names_label(const struct report *report, const struct trace_frame *frame)
{
    if (frame->symbol != NULL && frame->symbol->function != NULL)
        return memory_copy(frame->symbol->function);
    return names_place(report, frame->address);
}

int64_t names_unloaded_ms(const struct report *report, const struct report_module *module)
{
    if (module->unloaded_ms < 0)
        return -1;
    return report->taken_ms - report->running_ms + module->unloaded_ms;
}

/* Files that were never any (the kernel's page of code, memory) are no problem of the user's. */
void names_say_problems(const struct names *names)
{
    for (size_t i = 0; i < names->report->module_count; i++) {
        const struct report_module *module = &names->report->modules[i];
        const char *problem =
            names->modules[i] != NULL ? symbols_problem(names->modules[i]) : NULL;
        if (problem != NULL && module->path[0] == '/' && module->unloaded_ms < 0)
            say_warning("%s: %s; its frames have no names", module->path, problem);
    }
}
