/*
 * leak/symbols: functions of a file, sorted when it is opened.
 *
 * Uses os. Locks: none; one report is made at a time.
 */
#include "leak/symbols.h"

#include "os/output.h"

#include <stdbool.h>
#include <string.h>

/* A table in the file. */
struct table {
    const Elf64_Sym *first;
    size_t count;
    const char *names;
    size_t names_bytes;
};

/* ---- the file ---- */

static bool lies_in(const struct symbols *symbols, uint64_t offset, uint64_t size_bytes)
{
    return offset <= symbols->file_bytes && size_bytes <= symbols->file_bytes - offset;
}

static const Elf64_Shdr *find_sections(const struct symbols *symbols, size_t *count_out)
{
    const Elf64_Ehdr *header = (const void *)symbols->file;
    if (symbols->file_bytes < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_shentsize != sizeof(Elf64_Shdr) ||
        header->e_shoff % 8 != 0 || !lies_in(symbols, header->e_shoff, header->e_shnum * sizeof(Elf64_Shdr)))
        return NULL;
    *count_out = header->e_shnum;
    return (const void *)(symbols->file + header->e_shoff);
}

static void use_section(const struct symbols *symbols, const Elf64_Shdr *section, const Elf64_Shdr *names,
                        struct table *table)
{
    if (!lies_in(symbols, section->sh_offset, section->sh_size) || section->sh_offset % 8 != 0 ||
        !lies_in(symbols, names->sh_offset, names->sh_size) || names->sh_size == 0 ||
        symbols->file[names->sh_offset + names->sh_size - 1] != '\0')
        return;
    table->first = (const void *)(symbols->file + section->sh_offset);
    table->count = section->sh_size / sizeof(Elf64_Sym);
    table->names = symbols->file + names->sh_offset;
    table->names_bytes = names->sh_size;
}

static struct table find_table(const struct symbols *symbols)
{
    struct table table = {NULL, 0, NULL, 0};
    size_t count = 0;
    const Elf64_Shdr *sections = find_sections(symbols, &count);
    for (size_t i = 0; sections != NULL && i < count; i++) {
        bool is_better = sections[i].sh_type == SHT_SYMTAB || (sections[i].sh_type == SHT_DYNSYM && table.first == NULL);
        if (is_better && sections[i].sh_link < count)
            use_section(symbols, &sections[i], &sections[sections[i].sh_link], &table);
    }
    return table;
}

static bool is_function(const struct table *table, const Elf64_Sym *symbol)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF && symbol->st_size != 0 &&
           symbol->st_name < table->names_bytes;
}

/* ---- sorting ---- */

/* By start; the shorter of two that begin together comes last, and is found first. Alike are names of one function. */
static bool comes_before(const struct symbol *a, const struct symbol *b)
{
    if (a->start != b->start)
        return a->start < b->start;
    return a->end != b->end ? a->end > b->end : a->name > b->name;
}

static void sift_down(struct symbol *functions, size_t from, size_t count)
{
    struct symbol moving = functions[from];
    size_t child;
    for (; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && comes_before(&functions[child], &functions[child + 1]))
            child++;
        if (!comes_before(&moving, &functions[child]))
            break;
        functions[from] = functions[child];
    }
    functions[from] = moving;
}

/* A heap sort: in place, and never slow. */
static void sort(struct symbol *functions, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(functions, i, count);
    while (count > 1) {
        struct symbol last = functions[0];
        functions[0] = functions[--count];
        functions[count] = last;
        sift_down(functions, 0, count);
    }
}

/* ---- from outside ---- */

static void collect(struct symbols *symbols, const struct table *table)
{
    struct symbol *functions = symbols->functions.start;
    for (size_t i = 0; i < table->count; i++) {
        const Elf64_Sym *symbol = &table->first[i];
        if (is_function(table, symbol))
            functions[symbols->count++] = (struct symbol){symbol->st_value, symbol->st_value + symbol->st_size, 0,
                                                          table->names + symbol->st_name};
    }
    sort(functions, symbols->count);
    uint64_t reach = 0;
    for (size_t i = 0; i < symbols->count; i++) {
        reach = functions[i].end > reach ? functions[i].end : reach;
        functions[i].reach = reach;
    }
}

void symbols_open(struct symbols *symbols, const char *path)
{
    size_t file_bytes = 0;
    const char *file = os_map_file(path, &file_bytes);
    *symbols = (struct symbols){.file = file != NULL ? file : "", .file_bytes = file != NULL ? file_bytes : 0};
    struct table table = find_table(symbols);
    if (table.count != 0 && grown_need(&symbols->functions, table.count * sizeof(struct symbol)) == 0)
        collect(symbols, &table);
}

void symbols_close(struct symbols *symbols)
{
    if (symbols->file_bytes != 0)
        os_unmap_file(symbols->file, symbols->file_bytes);
    grown_drop(&symbols->functions);
    *symbols = (struct symbols){.file = NULL};
}

const char *symbols_find(const struct symbols *symbols, uint64_t offset)
{
    const struct symbol *functions = symbols->functions.start;
    size_t low = 0;
    for (size_t high = symbols->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (functions[middle].start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low > 0 && functions[low - 1].reach > offset; low--)
        if (functions[low - 1].end > offset)
            return functions[low - 1].name;
    return "";
}
