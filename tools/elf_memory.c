/*
 * tools/elf_memory: symbols of a module, read from the memory it was loaded into.
 *
 * What ld.so itself uses is all there: program headers, the dynamic section, its symbols, strings
 * and GNU hash table (https://flapenguin.me/elf-dt-gnu-hash). Whatever is read may be nonsense (a
 * file mapped as data begins like a module), so every loop is bounded and every address goes
 * through the kernel.
 */
#include "tools/elf_memory.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

enum { SEGMENTS_MAX = 64, DYNAMIC_MAX = 256, CHAIN_MAX = 4096, NAME_BYTES_MAX = 64 };

struct module {
    const struct target *target;
    uintptr_t base; /* where its first byte lies */
    uintptr_t bias; /* added to the file's own addresses */
    uintptr_t symbols;
    uintptr_t strings;
    uintptr_t hash;
};

static int read_header(const struct module *module, ElfW(Ehdr) * header)
{
    int result = target_read_all(module->target, module->base, header, sizeof *header);
    if (result != 0)
        return result;
    bool is_module = memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
                     header->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
                     header->e_phentsize == sizeof(ElfW(Phdr)) && header->e_phnum <= SEGMENTS_MAX;
    return is_module ? 0 : -ENOENT;
}

/* Where the dynamic section lies; the bias, too, from the segment that holds the file's start. */
static int find_dynamic(struct module *module, uintptr_t *dynamic_out)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[SEGMENTS_MAX];
    int result = read_header(module, &header);
    if (result == 0)
        result = target_read_all(module->target, module->base + header.e_phoff, segments,
                                 header.e_phnum * sizeof segments[0]);
    if (result != 0)
        return result;
    const ElfW(Phdr) *dynamic = NULL;
    module->bias = module->base;
    for (const ElfW(Phdr) *segment = segments; segment < segments + header.e_phnum; segment++) {
        if (segment->p_type == PT_DYNAMIC)
            dynamic = segment;
        /* One without anything of the file may claim to begin anywhere in it. */
        if (segment->p_type == PT_LOAD && segment->p_offset == 0 && segment->p_filesz != 0)
            module->bias = module->base - segment->p_vaddr;
    }
    if (dynamic == NULL)
        return -ENOENT;
    *dynamic_out = module->bias + dynamic->p_vaddr;
    return 0;
}

/* ld.so has added the bias to these addresses on most machines, not on all. */
static uintptr_t relocated(const struct module *module, uintptr_t address)
{
    return address < module->bias ? module->bias + address : address;
}

static int read_dynamic(struct module *module, uintptr_t dynamic)
{
    for (size_t i = 0; i < DYNAMIC_MAX; i++) {
        ElfW(Dyn) entry;
        int result =
            target_read_all(module->target, dynamic + i * sizeof entry, &entry, sizeof entry);
        if (result != 0)
            return result;
        if (entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_SYMTAB)
            module->symbols = relocated(module, entry.d_un.d_ptr);
        else if (entry.d_tag == DT_STRTAB)
            module->strings = relocated(module, entry.d_un.d_ptr);
        else if (entry.d_tag == DT_GNU_HASH)
            module->hash = relocated(module, entry.d_un.d_ptr);
    }
    return module->symbols != 0 && module->strings != 0 && module->hash != 0 ? 0 : -ENOENT;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static int read_word(const struct module *module, uintptr_t address, uint32_t *word_out)
{
    return target_read_all(module->target, address, word_out, sizeof *word_out);
}

/* 0 when the symbol of that index is defined and has the name, -ENOENT when not. */
static int match_symbol(const struct module *module, uint32_t index, const char *name,
                        uintptr_t *address_out)
{
    ElfW(Sym) symbol;
    char found[NAME_BYTES_MAX];
    size_t name_bytes = strlen(name) + 1;
    int result = target_read_all(module->target, module->symbols + index * sizeof symbol, &symbol,
                                 sizeof symbol);
    if (result == 0)
        result =
            target_read_all(module->target, module->strings + symbol.st_name, found, name_bytes);
    if (result != 0)
        return result;
    if (symbol.st_shndx == SHN_UNDEF || memcmp(found, name, name_bytes) != 0)
        return -ENOENT;
    *address_out = module->bias + symbol.st_value;
    return 0;
}

/* The symbols of a bucket follow each other; the last one's hash is odd. */
static int search_chain(const struct module *module, uintptr_t chain, uint32_t index, uint32_t hash,
                        const char *name, uintptr_t *address_out)
{
    for (size_t i = 0; i < CHAIN_MAX; i++) {
        uint32_t found;
        int result = read_word(module, chain + i * sizeof found, &found);
        if (result != 0)
            return result;
        if ((found | 1) == (hash | 1) &&
            match_symbol(module, index + (uint32_t)i, name, address_out) == 0)
            return 0;
        if ((found & 1) != 0)
            break;
    }
    return -ENOENT;
}

static int search(const struct module *module, const char *name, uintptr_t *address_out)
{
    struct {
        uint32_t bucket_count;
        uint32_t first_symbol;
        uint32_t bloom_words;
        uint32_t bloom_shift;
    } table;
    int result = target_read_all(module->target, module->hash, &table, sizeof table);
    if (result != 0)
        return result;
    if (table.bucket_count == 0)
        return -ENOENT;
    uint32_t hash = gnu_hash(name);
    uintptr_t buckets = module->hash + sizeof table + table.bloom_words * sizeof(ElfW(Addr));
    uintptr_t chains = buckets + table.bucket_count * sizeof(uint32_t);
    uint32_t index;
    result = read_word(module, buckets + hash % table.bucket_count * sizeof(uint32_t), &index);
    if (result != 0)
        return result;
    if (index < table.first_symbol)
        return -ENOENT;
    uintptr_t chain = chains + (index - table.first_symbol) * sizeof(uint32_t);
    return search_chain(module, chain, index, hash, name, address_out);
}

int elf_memory_symbol(const struct target *target, uintptr_t base, const char *name,
                      uintptr_t *address_out)
{
    struct module module = {.target = target, .base = base};
    if (strlen(name) >= NAME_BYTES_MAX)
        return -ENOENT;
    uintptr_t dynamic;
    int result = find_dynamic(&module, &dynamic);
    if (result == 0)
        result = read_dynamic(&module, dynamic);
    if (result == 0)
        result = search(&module, name, address_out);
    return result;
}
