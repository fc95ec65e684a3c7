/*
 * tools/core_file: an ELF core file, as the kernel or a debugger writes them.
 *
 * The file is not trusted: every offset is checked against its real length, and what lies behind its end is missing.
 */
#ifndef TOOLS_CORE_FILE_H
#define TOOLS_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory that the process had. What lies behind file_bytes was not written to the file. */
struct core_segment {
    uintptr_t start;
    uintptr_t end;
    uint64_t file_offset;
    size_t file_bytes;
    uint32_t flags; /* PF_R and so on */
};

/* A file that was mapped there. */
struct core_mapping {
    uintptr_t start;
    uintptr_t end;
    uint64_t offset;
    const char *name;
};

/* A note's contents. */
struct core_blob {
    const unsigned char *bytes;
    size_t size_bytes;
};

enum { CORE_SETS_MAX = 3 };

struct core_thread {
    pid_t thread_id;
    struct core_blob sets[CORE_SETS_MAX]; /* general, floating point, all vector registers */
    uint32_t set_count;
};

struct core_file {
    int descriptor;
    const unsigned char *bytes; /* all of the file, read-only; a file cut short by others meanwhile is SIGBUS */
    size_t size_bytes;
    struct core_segment *segments; /* by address */
    size_t segment_count;
    struct core_mapping *mappings; /* by address */
    size_t mapping_count;
    struct core_thread *threads;
    size_t thread_count;
    pid_t process_id;
    char name[32];
    uintptr_t random_address; /* of AT_RANDOM: in the first thread's stack; 0 if unknown */
    uint64_t missing_bytes;   /* that the headers promise and the file does not have */
};

/*
 * Opens the file. Returns 0; -ELIBBAD: no core file; -EBADMSG: one of another kind of machine; -EPROTO: its headers make
 * no sense; or another -errno.
 */
int core_open(const char *path, struct core_file *core_out);
void core_close(struct core_file *core);

/* As target_read(). */
ssize_t core_read(const struct core_file *core, uintptr_t address, void *bytes_out, size_t size_bytes);

/* The segment that holds the address, or NULL. */
const struct core_segment *core_segment_at(const struct core_file *core, uintptr_t address);

/* The file that was mapped at the address, or NULL. */
const struct core_mapping *core_mapping_at(const struct core_file *core, uintptr_t address);

#endif
