/*
 * os/object: which loaded program or library an address lies in.
 *
 * Locks: none.
 */
#include "os/object.h"

#include "os/process.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

enum { PATH_BYTES = 512 };

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* Weak: a C library from before 2.35 has none. */
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

bool os_object_find(uintptr_t address, struct os_object *object_out)
{
    struct dl_find_object found;
    if (_dl_find_object == NULL || _dl_find_object((void *)address, &found) != 0)
        return false;
    *object_out = (struct os_object){
        .start = (uintptr_t)found.dlfo_map_start,
        .end = (uintptr_t)found.dlfo_map_end,
        .unwind_header = (uintptr_t)found.dlfo_eh_frame,
        .base = found.dlfo_link_map != NULL ? found.dlfo_link_map->l_addr : 0,
        .name = found.dlfo_link_map != NULL ? found.dlfo_link_map->l_name : "",
    };
    return true;
}
#else
bool os_object_find(uintptr_t address, struct os_object *object_out)
{
    (void)address;
    (void)object_out;
    return false;
}
#endif

const char *os_program_path(void)
{
    static char whole[PATH_BYTES];
    const char *path = (const char *)getauxval(AT_EXECFN);
    if (path == NULL || path[0] == '/')
        return path != NULL ? path : "";
    if (whole[0] == '\0')
        os_program_file(whole, sizeof whole); /* the same, whoever else does it at the same time */
    return whole[0] != '\0' ? whole : path;
}

static size_t find_in_notes(const char *note, const char *end, uint8_t *bytes_out,
                            size_t size_bytes)
{
    while ((size_t)(end - note) >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *header = (const void *)note;
        const char *name = note + sizeof *header;
        size_t name_bytes = ((size_t)header->n_namesz + 3) & ~(size_t)3;
        size_t bytes = ((size_t)header->n_descsz + 3) & ~(size_t)3;
        if (name_bytes + bytes > (size_t)(end - name))
            return 0;
        if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 &&
            memcmp(name, "GNU", 4) == 0) {
            size_t count = header->n_descsz < size_bytes ? header->n_descsz : size_bytes;
            memcpy(bytes_out, name + name_bytes, count);
            return count;
        }
        note = name + name_bytes + bytes;
    }
    return 0;
}

size_t os_object_build_id(const struct os_object *object, uint8_t *bytes_out, size_t size_bytes)
{
    const ElfW(Ehdr) *header = (const void *)object->start;
    size_t room = object->end - object->start;
    if (room < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_phoff >= room || header->e_phnum > (room - header->e_phoff) / sizeof(ElfW(Phdr)))
        return 0;
    const ElfW(Phdr) *segments = (const void *)(object->start + header->e_phoff);
    for (size_t i = 0; i < header->e_phnum; i++) {
        uintptr_t start = object->base + segments[i].p_vaddr;
        if (segments[i].p_type != PT_NOTE || start < object->start || start >= object->end ||
            segments[i].p_memsz > object->end - start)
            continue;
        size_t count = find_in_notes((const char *)start, (const char *)start + segments[i].p_memsz,
                                     bytes_out, size_bytes);
        if (count != 0)
            return count;
    }
    return 0;
}
