/*
 * tools/core_file: an ELF core file.
 *
 * Segments, and notes (core(5), linux/elfcore.h): a PRSTATUS begins a thread, the register sets that follow are its own.
 */
#include "tools/core_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENTS_MAX = 1 << 20, THREADS_MAX = 1 << 20, MAPPINGS_MAX = 1 << 20 };

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OWN_MACHINE = EM_AARCH64 };
#else
enum { OWN_MACHINE = EM_NONE };
#endif

/* Part of the file, as far as it is there. */
static struct core_blob part_of(const struct core_file *core, uint64_t offset, uint64_t size_bytes)
{
    if (offset >= core->size_bytes)
        return (struct core_blob){NULL, 0};
    uint64_t there = core->size_bytes - offset;
    return (struct core_blob){core->bytes + offset, size_bytes < there ? size_bytes : there};
}

/* ---- notes ---- */

static int add_thread(struct core_file *core, struct core_blob note)
{
    struct elf_prstatus status;
    if (note.size_bytes < sizeof status || core->thread_count == THREADS_MAX)
        return 0;
    memcpy(&status, note.bytes, sizeof status);
    if ((core->thread_count & (core->thread_count + 1)) == 0) {
        size_t room = 2 * core->thread_count + 1;
        struct core_thread *threads = realloc(core->threads, room * sizeof *threads);
        if (threads == NULL)
            return -ENOMEM;
        core->threads = threads;
    }
    const unsigned char *registers = note.bytes + offsetof(struct elf_prstatus, pr_reg);
    core->threads[core->thread_count++] = (struct core_thread){
        .thread_id = status.pr_pid,
        .sets = {{registers, sizeof status.pr_reg}},
        .set_count = 1,
    };
    return 0;
}

static void add_set(struct core_file *core, struct core_blob note)
{
    if (core->thread_count == 0)
        return;
    struct core_thread *thread = &core->threads[core->thread_count - 1];
    if (thread->set_count < CORE_SETS_MAX)
        thread->sets[thread->set_count++] = note;
}

static void read_process(struct core_file *core, struct core_blob note)
{
    struct elf_prpsinfo info;
    if (note.size_bytes < sizeof info)
        return;
    memcpy(&info, note.bytes, sizeof info);
    core->process_id = info.pr_pid;
    memcpy(core->name, info.pr_fname, sizeof info.pr_fname);
    core->name[sizeof info.pr_fname] = '\0';
}

static void read_auxiliary(struct core_file *core, struct core_blob note)
{
    for (size_t at = 0; note.size_bytes - at >= sizeof(ElfW(auxv_t)); at += sizeof(ElfW(auxv_t))) {
        ElfW(auxv_t) entry;
        memcpy(&entry, note.bytes + at, sizeof entry);
        if (entry.a_type == AT_RANDOM)
            core->random_address = entry.a_un.a_val;
    }
}

static int compare_mappings(const void *left, const void *right)
{
    const struct core_mapping *a = left, *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

/* Count and page size, then start, end and page offset of each, then the names one after the other. */
static int read_mappings(struct core_file *core, struct core_blob note)
{
    uint64_t head[2], row[3];
    if (core->mappings != NULL || note.size_bytes < sizeof head)
        return 0;
    memcpy(head, note.bytes, sizeof head);
    if (head[0] > (note.size_bytes - sizeof head) / sizeof row || head[0] > MAPPINGS_MAX)
        return 0;
    core->mappings = calloc(head[0] + 1, sizeof *core->mappings);
    if (core->mappings == NULL)
        return -ENOMEM;
    const char *end = (const char *)note.bytes + note.size_bytes;
    const char *name = (const char *)note.bytes + sizeof head + head[0] * sizeof row;
    for (uint64_t i = 0; i < head[0]; i++) {
        memcpy(row, note.bytes + sizeof head + i * sizeof row, sizeof row);
        const char *name_end = memchr(name, '\0', (size_t)(end - name));
        if (name_end == NULL)
            break;
        core->mappings[core->mapping_count++] = (struct core_mapping){row[0], row[1], row[2] * head[1], name};
        name = name_end + 1;
    }
    qsort(core->mappings, core->mapping_count, sizeof *core->mappings, compare_mappings);
    return 0;
}

static int read_note(struct core_file *core, uint32_t type, struct core_blob note)
{
    switch (type) {
    case NT_PRSTATUS:
        return add_thread(core, note);
    case NT_PRFPREG:
    case NT_X86_XSTATE:
    case NT_ARM_SVE:
        add_set(core, note);
        return 0;
    case NT_PRPSINFO:
        read_process(core, note);
        return 0;
    case NT_AUXV:
        read_auxiliary(core, note);
        return 0;
    case NT_FILE:
        return read_mappings(core, note);
    default:
        return 0;
    }
}

static size_t padded(size_t size_bytes)
{
    return (size_bytes + 3) & ~(size_t)3;
}

static int read_notes(struct core_file *core, struct core_blob notes)
{
    ElfW(Nhdr) head;
    int result = 0;
    for (size_t at = 0; result == 0 && notes.size_bytes - at >= sizeof head;) {
        memcpy(&head, notes.bytes + at, sizeof head);
        size_t rest = notes.size_bytes - at - sizeof head;
        size_t name_bytes = padded(head.n_namesz);
        if (name_bytes > rest || padded(head.n_descsz) > rest - name_bytes)
            break;
        const unsigned char *contents = notes.bytes + at + sizeof head + name_bytes;
        result = read_note(core, head.n_type, (struct core_blob){contents, head.n_descsz});
        at += sizeof head + name_bytes + padded(head.n_descsz);
    }
    return result;
}

/* ---- segments ---- */

static void add_segment(struct core_file *core, const ElfW(Phdr) * header)
{
    if (header->p_memsz == 0 || header->p_vaddr + header->p_memsz < header->p_vaddr)
        return;
    size_t wanted = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;
    struct core_blob there = part_of(core, header->p_offset, wanted);
    core->missing_bytes += wanted - there.size_bytes;
    core->segments[core->segment_count++] = (struct core_segment){
        .start = header->p_vaddr,
        .end = header->p_vaddr + header->p_memsz,
        .file_offset = header->p_offset,
        .file_bytes = there.size_bytes,
        .flags = header->p_flags,
    };
}

static int compare_segments(const void *left, const void *right)
{
    const struct core_segment *a = left, *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

/* With more than 65,534 segments their number stands in the first section header. */
static size_t count_headers(const struct core_file *core, const ElfW(Ehdr) * elf)
{
    ElfW(Shdr) section;
    if (elf->e_phnum != PN_XNUM)
        return elf->e_phnum;
    struct core_blob first = part_of(core, elf->e_shoff, sizeof section);
    if (first.size_bytes < sizeof section)
        return 0;
    memcpy(&section, first.bytes, sizeof section);
    return section.sh_info;
}

static int check_header(const struct core_file *core, ElfW(Ehdr) * elf)
{
    if (core->size_bytes < sizeof *elf)
        return -ELIBBAD;
    memcpy(elf, core->bytes, sizeof *elf);
    if (memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0)
        return -ELIBBAD;
    if (elf->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) || elf->e_machine != OWN_MACHINE)
        return -EBADMSG;
    return elf->e_type == ET_CORE ? 0 : -ELIBBAD;
}

/* Segments of a core never overlap; where a damaged one's do, the first one counts. */
static void sort_segments(struct core_file *core)
{
    qsort(core->segments, core->segment_count, sizeof *core->segments, compare_segments);
    size_t kept = 0;
    for (size_t i = 0; i < core->segment_count; i++)
        if (kept == 0 || core->segments[i].start >= core->segments[kept - 1].end)
            core->segments[kept++] = core->segments[i];
    core->segment_count = kept;
}

static int read_headers(struct core_file *core)
{
    ElfW(Ehdr) elf;
    int result = check_header(core, &elf);
    if (result != 0)
        return result;
    size_t count = count_headers(core, &elf);
    ElfW(Phdr) header;
    if (elf.e_phentsize != sizeof header || count == 0 || count > SEGMENTS_MAX)
        return -EPROTO;
    struct core_blob headers = part_of(core, elf.e_phoff, count * sizeof header);
    if (headers.size_bytes < count * sizeof header)
        return -EPROTO;
    core->segments = calloc(count, sizeof *core->segments);
    if (core->segments == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count && result == 0; i++) {
        memcpy(&header, headers.bytes + i * sizeof header, sizeof header);
        if (header.p_type == PT_LOAD)
            add_segment(core, &header);
        else if (header.p_type == PT_NOTE)
            result = read_notes(core, part_of(core, header.p_offset, header.p_filesz));
    }
    sort_segments(core);
    return result;
}

int core_open(const char *path, struct core_file *core_out)
{
    struct core_file core = {.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (core.descriptor < 0)
        return -errno;
    struct stat status;
    if (fstat(core.descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < (off_t)sizeof(ElfW(Ehdr))) {
        close(core.descriptor);
        return -ELIBBAD;
    }
    core.size_bytes = (size_t)status.st_size;
    void *bytes = mmap(NULL, core.size_bytes, PROT_READ, MAP_PRIVATE, core.descriptor, 0);
    if (bytes == MAP_FAILED) {
        int result = -errno;
        close(core.descriptor);
        return result;
    }
    core.bytes = bytes;
    int result = read_headers(&core);
    if (result == 0)
        *core_out = core;
    else
        core_close(&core);
    return result;
}

void core_close(struct core_file *core)
{
    munmap((void *)core->bytes, core->size_bytes);
    close(core->descriptor);
    free(core->segments);
    free(core->mappings);
    free(core->threads);
    *core = (struct core_file){.descriptor = -1};
}

/* ---- looking ---- */

const struct core_segment *core_segment_at(const struct core_file *core, uintptr_t address)
{
    size_t low = 0, high = core->segment_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct core_segment *segment = &core->segments[middle];
        if (address < segment->start)
            high = middle;
        else if (address >= segment->end)
            low = middle + 1;
        else
            return segment;
    }
    return NULL;
}

const struct core_mapping *core_mapping_at(const struct core_file *core, uintptr_t address)
{
    for (size_t i = 0; i < core->mapping_count; i++)
        if (address >= core->mappings[i].start && address < core->mappings[i].end)
            return &core->mappings[i];
    return NULL;
}

ssize_t core_read(const struct core_file *core, uintptr_t address, void *bytes_out, size_t size_bytes)
{
    size_t done = 0;
    while (done < size_bytes) {
        const struct core_segment *segment = core_segment_at(core, address + done);
        size_t offset = segment != NULL ? address + done - segment->start : 0;
        if (segment == NULL || offset >= segment->file_bytes)
            break;
        size_t count = segment->file_bytes - offset;
        count = count < size_bytes - done ? count : size_bytes - done;
        memcpy((char *)bytes_out + done, core->bytes + segment->file_offset + offset, count);
        done += count;
    }
    return done > 0 || size_bytes == 0 ? (ssize_t)done : -EFAULT;
}
