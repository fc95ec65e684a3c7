/*
 * tools/build_id: whether a file is still the one that was loaded.
 *
 * The id is a note (NT_GNU_BUILD_ID) near the file's start, which is loaded with it, and which kernels write to core
 * files for this very purpose.
 */
#include "tools/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENTS_MAX = 64, NOTES_BYTES_MAX = 4096, ID_BYTES_MAX = 64 };

/* A file or a process: what lies at an offset from the module's first byte. */
struct source {
    const struct target *target;
    uintptr_t start;
    int descriptor; /* where target is NULL */
};

struct id {
    size_t size_bytes;
    unsigned char bytes[ID_BYTES_MAX];
};

static bool read_at(const struct source *source, uint64_t offset, void *bytes_out, size_t size_bytes)
{
    if (source->target != NULL)
        return target_read_all(source->target, source->start + offset, bytes_out, size_bytes) == 0;
    return pread(source->descriptor, bytes_out, size_bytes, (off_t)offset) == (ssize_t)size_bytes;
}

static bool find_in_notes(const unsigned char *notes, size_t size_bytes, struct id *id_out)
{
    ElfW(Nhdr) head;
    for (size_t at = 0; size_bytes - at >= sizeof head;) {
        memcpy(&head, notes + at, sizeof head);
        size_t name_bytes = ((size_t)head.n_namesz + 3) & ~(size_t)3, contents = ((size_t)head.n_descsz + 3) & ~(size_t)3;
        at += sizeof head;
        if (name_bytes > size_bytes - at || contents > size_bytes - at - name_bytes)
            return false;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && memcmp(notes + at, "GNU", 4) == 0 &&
            head.n_descsz <= ID_BYTES_MAX) {
            id_out->size_bytes = head.n_descsz;
            memcpy(id_out->bytes, notes + at + name_bytes, head.n_descsz);
            return true;
        }
        at += name_bytes + contents;
    }
    return false;
}

static bool find_id(const struct source *source, struct id *id_out)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[SEGMENTS_MAX];
    unsigned char notes[NOTES_BYTES_MAX];
    if (!read_at(source, 0, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_phnum > SEGMENTS_MAX || header.e_phentsize != sizeof segments[0] ||
        !read_at(source, header.e_phoff, segments, header.e_phnum * sizeof segments[0]))
        return false;
    for (size_t i = 0; i < header.e_phnum; i++)
        if (segments[i].p_type == PT_NOTE && segments[i].p_filesz <= sizeof notes &&
            read_at(source, segments[i].p_offset, notes, segments[i].p_filesz) &&
            find_in_notes(notes, segments[i].p_filesz, id_out))
            return true;
    return false;
}

/* The first segment has offset 0, and notes lie in it: what is at an offset in the file is as far from the first byte. */
bool build_id_is_same(const struct target *target, uintptr_t start, const char *path)
{
    struct source loaded = {.target = target, .start = start}, file = {.descriptor = open(path, O_RDONLY | O_CLOEXEC)};
    struct id loaded_id, file_id;
    bool is_same = true;
    if (file.descriptor >= 0 && find_id(&loaded, &loaded_id) && find_id(&file, &file_id))
        is_same = loaded_id.size_bytes == file_id.size_bytes &&
                  memcmp(loaded_id.bytes, file_id.bytes, file_id.size_bytes) == 0;
    if (file.descriptor >= 0)
        close(file.descriptor);
    return is_same;
}
