/*
 * tools/names: names by libdw.
 *
 * Modules are reported to it from the snapshot's own mappings, and stacks are walked with the snapshot's memory and
 * registers, so it never looks at the process.
 */
#include "tools/names.h"

#include "os/maps.h"
#include "tools/build_id.h"

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 1024 };

struct frame {
    uintptr_t address;       /* of its code */
    uintptr_t stack_pointer; /* its part of the stack begins here */
    bool is_call;            /* the address is behind a call */
};

struct names {
    const struct snapshot *snapshot;
    Dwfl *dwfl;
    Dwfl_Callbacks callbacks;
    bool can_walk;
    size_t thread; /* that `frames` are of; SIZE_MAX: none yet */
    struct frame frames[FRAMES_MAX];
    size_t frame_count;
};

/* ---- modules ---- */

/* Separate files of debugging information are looked for in the usual folders; nothing is fetched. */
static char *debug_path;

static bool is_first_mapping(const struct target_maps *maps, size_t index)
{
    const struct target_map *map = &maps->entries[index];
    return map->name[0] == '/' && map->file_offset == 0 && (map->kind == OS_MAP_FILE || map->kind == OS_MAP_FILE_SHARED) &&
           (index == 0 || strcmp(map[-1].name, map->name) != 0);
}

static void report_modules(struct names *names)
{
    const struct target_maps *maps = &names->snapshot->maps;
    dwfl_report_begin(names->dwfl);
    for (size_t i = 0; i < maps->count; i++) {
        const struct target_map *map = &maps->entries[i];
        if (is_first_mapping(maps, i) && build_id_is_same(&names->snapshot->target, map->start, map->name))
            dwfl_report_elf(names->dwfl, map->name, map->name, -1, map->start, false);
    }
    dwfl_report_end(names->dwfl, NULL, NULL);
}

/* ---- stacks ---- */

static pid_t next_thread(Dwfl *dwfl, void *context, void **thread_context)
{
    const struct names *names = context;
    (void)dwfl;
    *thread_context = context;
    return names->snapshot->threads[names->thread].thread_id;
}

static bool get_thread(Dwfl *dwfl, pid_t thread_id, void *context, void **thread_context)
{
    (void)dwfl;
    (void)thread_id;
    *thread_context = context;
    return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word_out, void *context)
{
    const struct names *names = context;
    (void)dwfl;
    return snapshot_read(names->snapshot, address, word_out, sizeof *word_out) == 0;
}

static bool set_registers(Dwfl_Thread *thread, void *context)
{
    const struct names *names = context;
    const struct user_regs_struct *r = &names->snapshot->threads[names->thread].registers;
#if defined(__x86_64__)
    const Dwarf_Word words[] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
                                r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip};
    return dwfl_thread_state_registers(thread, 0, sizeof words / sizeof words[0], words);
#elif defined(__aarch64__)
    Dwarf_Word words[32];
    for (int i = 0; i < 31; i++)
        words[i] = r->regs[i];
    words[31] = r->sp;
    dwfl_thread_state_register_pc(thread, r->pc);
    return dwfl_thread_state_registers(thread, 0, 32, words);
#else
    (void)thread;
    (void)r;
    return false;
#endif
}

static const Dwfl_Thread_Callbacks walker = {
    .next_thread = next_thread,
    .get_thread = get_thread,
    .memory_read = read_memory,
    .set_initial_registers = set_registers,
};

static int note_frame(Dwfl_Frame *state, void *context)
{
#if defined(__x86_64__)
    enum { STACK_POINTER = 7 };
#else
    enum { STACK_POINTER = 31 };
#endif
    struct names *names = context;
    Dwarf_Addr address;
    Dwarf_Word stack_pointer;
    bool is_activation;
    if (names->frame_count == FRAMES_MAX || !dwfl_frame_pc(state, &address, &is_activation) ||
        dwfl_frame_reg(state, STACK_POINTER, &stack_pointer) != 0)
        return DWARF_CB_ABORT;
    names->frames[names->frame_count++] = (struct frame){address, stack_pointer, !is_activation};
    return DWARF_CB_OK;
}

static void walk_stack(struct names *names, size_t thread)
{
    if (names->thread == thread || !names->can_walk)
        return;
    names->thread = thread;
    names->frame_count = 0;
    dwfl_getthread_frames(names->dwfl, names->snapshot->threads[thread].thread_id, note_frame, names);
}

/* ---- from outside ---- */

struct names *names_open(const struct snapshot *snapshot)
{
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL)
        return NULL;
    names->snapshot = snapshot;
    names->thread = SIZE_MAX;
    names->callbacks = (Dwfl_Callbacks){
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .debuginfo_path = &debug_path,
    };
    /* No names from the network: a look at a process must not tell others of it. */
    setenv("DEBUGINFOD_URLS", "", 1);
    names->dwfl = dwfl_begin(&names->callbacks);
    if (names->dwfl == NULL)
        return names;
    report_modules(names);
    names->can_walk = snapshot->thread_count != 0 &&
                      dwfl_attach_state(names->dwfl, NULL, snapshot->target.process_id, &walker, names);
    return names;
}

void names_close(struct names *names)
{
    if (names == NULL)
        return;
    if (names->dwfl != NULL)
        dwfl_end(names->dwfl);
    free(names);
}

/* The module by the mapping, whether its file can be read or not. */
static bool name_module(const struct names *names, uintptr_t address, struct name *name)
{
    const struct target_map *map = target_maps_at(&names->snapshot->maps, address);
    memset(name, 0, sizeof *name);
    if (map == NULL || map->name[0] != '/')
        return false;
    snprintf(name->module, sizeof name->module, "%s", map->name);
    name->module_offset = map->file_offset + (address - map->start);
    return true;
}

static void take_symbol(const struct names *names, uintptr_t address, struct name *name)
{
    Dwfl_Module *module = names->dwfl == NULL ? NULL : dwfl_addrmodule(names->dwfl, address);
    if (module == NULL)
        return;
    if (name->module[0] == '\0')
        snprintf(name->module, sizeof name->module, "%s",
                 dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    GElf_Off offset;
    GElf_Sym symbol;
    const char *text = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
    if (text == NULL || (symbol.st_size != 0 && offset >= symbol.st_size))
        return;
    snprintf(name->symbol, sizeof name->symbol, "%s", text);
    name->offset = offset;
}

static void take_source(const struct names *names, uintptr_t address, struct name *name)
{
    Dwfl_Module *module = names->dwfl == NULL ? NULL : dwfl_addrmodule(names->dwfl, address);
    Dwfl_Line *line = module == NULL ? NULL : dwfl_module_getsrc(module, address);
    int number = 0;
    const char *file = line == NULL ? NULL : dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
    if (file != NULL)
        snprintf(name->source, sizeof name->source, "%s:%d", file, number);
}

bool names_of_call(const struct names *names, uintptr_t address, struct name *name_out)
{
    if (names == NULL || !name_module(names, address - 1, name_out))
        return false;
    take_symbol(names, address - 1, name_out);
    take_source(names, address - 1, name_out);
    return true;
}

/* Memory of a module behind its file's part (bss) is a mapping without a name. */
bool names_of_variable(const struct names *names, uintptr_t address, struct name *name_out)
{
    if (names == NULL)
        return false;
    name_module(names, address, name_out);
    take_symbol(names, address, name_out);
    return name_out->module[0] != '\0';
}

bool names_of_frame(struct names *names, size_t thread, uintptr_t address, struct name *name_out)
{
    if (names == NULL)
        return false;
    walk_stack(names, thread);
    for (size_t i = 0; i + 1 < names->frame_count; i++) {
        const struct frame *frame = &names->frames[i];
        if (address < frame->stack_pointer || address >= frame[1].stack_pointer)
            continue;
        uintptr_t code = frame->is_call ? frame->address : frame->address + 1;
        return names_of_call(names, code, name_out);
    }
    return false;
}
