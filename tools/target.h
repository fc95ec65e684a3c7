/*
 * tools/target: a process looked into from outside, or what a core file holds of one.
 *
 * Its memory is read by the kernel on our behalf; nothing is stopped, injected or written. Who may
 * trace a process may read it (ptrace(2), "access mode checking").
 */
#ifndef TOOLS_TARGET_H
#define TOOLS_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct core_file;

struct target {
    const struct core_file *core; /* NULL: a process that lives */
    pid_t process_id;
    pid_t thread_id; /* one that lives: the first thread may have ended while others run */
    int folder; /* /proc/PID, held open: a new process of the same number is not mistaken for it */
    uintptr_t image_address; /* of its struct image */
    uintptr_t library_start; /* where the library's first byte lies; 0 if unknown */
};

/*
 * Finds the process and the image of its heap. Returns 0; -ESRCH: no such process; -EACCES: not
 * ours to read; -ENOEXEC: not on gcalloc; -EAGAIN: on gcalloc, but without a heap so far; or
 * another -errno.
 */
int target_attach(pid_t process_id, struct target *target_out);

/* The same for a core file, which stays open meanwhile. */
int target_attach_core(const struct core_file *core, struct target *target_out);

/* What those and what reads through them return, as the end of a line. */
const char *target_problem(int error);

/* Looks again, as after an exec. Returns what target_attach does. */
int target_find_image(struct target *target);

/* Reads memory. Returns the bytes read, less than asked where the rest is not readable, or -errno.
 */
ssize_t target_read(const struct target *target, uintptr_t address, void *bytes_out,
                    size_t size_bytes);

/* The same, for all or nothing: 0 or -errno. */
int target_read_all(const struct target *target, uintptr_t address, void *bytes_out,
                    size_t size_bytes);

/* The process's name as the kernel shows it, "?" when it has ended. */
void target_name(const struct target *target, char *name_out, size_t size_bytes);

/* Its resident memory, or 0 when that can't be read. */
uint64_t target_resident_bytes(const struct target *target);

void target_detach(struct target *target);

#endif
