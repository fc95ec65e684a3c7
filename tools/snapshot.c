/*
 * tools/snapshot: all that is to be known of a process at one moment.
 *
 * What the stop has to do is prepared before it (tools/snapshot_copy), and most of what is copied is copied before it, too,
 * where the process's writes can be followed (tools/snapshot_ahead).
 */
#include "tools/snapshot.h"

#include "os/maps.h"
#include "tools/held.h"
#include "tools/say.h"
#include "tools/snapshot_ahead.h"
#include "tools/snapshot_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TRIES_MAX = 24 };

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void snapshot_note(struct snapshot *snapshot, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (snapshot->note_count < SNAPSHOT_NOTES_MAX)
        snapshot->notes[snapshot->note_count] = strdup(line);
    if (snapshot->note_count < SNAPSHOT_NOTES_MAX && snapshot->notes[snapshot->note_count] != NULL)
        snapshot->note_count++;
}

/* ---- who may be looked into ---- */

/*
 * The kernel's rules come on top, when the process is opened. These hold for root as well: a program that runs with
 * other rights than its caller's, or that does not want to be dumped, keeps what it has in memory to itself. (A process
 * that can't be dumped belongs to root in /proc.)
 */
static int check_rights(const struct target *target)
{
    int descriptor = openat(target->folder, "status", O_RDONLY | O_CLOEXEC);
    FILE *status = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    struct stat owner;
    if (status == NULL || fstat(descriptor, &owner) != 0)
        return errno == ENOENT ? -ESRCH : -errno;
    char line[256];
    unsigned real[2] = {0, 0}, effective[2] = {0, 0}, saved[2] = {0, 0};
    while (fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "Uid: %u %u %u", &real[0], &effective[0], &saved[0]);
        sscanf(line, "Gid: %u %u %u", &real[1], &effective[1], &saved[1]);
    }
    fclose(status);
    for (int i = 0; i < 2; i++)
        if (real[i] != effective[i] || real[i] != saved[i])
            return -EKEYREJECTED;
    return owner.st_uid == effective[0] ? 0 : -EKEYREJECTED;
}

/* ---- a good moment ---- */

/* The library's code, where a thread may be in the middle of changing a table. */
static bool is_in_library(const struct snapshot *snapshot, uintptr_t address)
{
    const struct target_map *here = target_maps_at(&snapshot->maps, address);
    const struct target_map *first = target_maps_at(&snapshot->maps, snapshot->target.library_start);
    return here != NULL && first != NULL && here->name[0] != '\0' && strcmp(here->name, first->name) == 0;
}

static bool changes_memory(long call)
{
    return call < 0 || call == SYS_mremap || call == SYS_mmap || call == SYS_munmap || call == SYS_madvise ||
           call == SYS_mprotect;
}

/* While realloc moves a large block, no table leads to it. */
static bool is_good_moment(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->seized.count; i++) {
        const struct seized_thread *thread = &snapshot->seized.threads[i];
        if (changes_memory(seized_call(thread)) && is_in_library(snapshot, seized_program_counter(thread)))
            return false;
    }
    return true;
}

/* Stops the process outside of malloc, if it is ever there. The mappings are those of that moment. */
static int stop(struct snapshot *snapshot, uint64_t *since_ns_out)
{
    for (int tries = 0;; tries++) {
        *since_ns_out = clock_ns(CLOCK_MONOTONIC);
        int result = seize_begin(snapshot->target.process_id, &snapshot->seized);
        if (result == 0)
            result = target_maps_read(&snapshot->target, &snapshot->maps);
        if (result != 0)
            return result;
        if (is_good_moment(snapshot))
            return 0;
        if (tries == TRIES_MAX) {
            snapshot_note(snapshot, "a thread was inside malloc or free: a few blocks may be told wrongly");
            return 0;
        }
        seize_end(&snapshot->seized);
        seize_free(&snapshot->seized);
        target_maps_free(&snapshot->maps);
        struct timespec pause = {.tv_nsec = 50000 + 37000 * tries};
        nanosleep(&pause, NULL);
    }
}

/* ---- afterwards ---- */

static void read_guard(struct snapshot *snapshot)
{
    enum { GUARD_OFFSET = 0x30 }; /* in glibc's thread control block on x86-64 */
    for (size_t i = 0; i < snapshot->seized.count && snapshot->guard == 0; i++) {
        uintptr_t pointer = seized_thread_pointer(&snapshot->seized.threads[i]);
        if (pointer != 0)
            snapshot_read(snapshot, pointer + GUARD_OFFSET, &snapshot->guard, sizeof snapshot->guard);
    }
}

static void read_thread_name(const struct snapshot *snapshot, struct snapshot_thread *thread)
{
    char path[48];
    snprintf(path, sizeof path, "task/%d/comm", (int)thread->thread_id);
    int descriptor = openat(snapshot->target.folder, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor >= 0 ? read(descriptor, thread->name, sizeof thread->name - 1) : 0;
    if (descriptor >= 0)
        close(descriptor);
    thread->name[length > 0 ? length - 1 : 0] = '\0';
    for (char *byte = thread->name; *byte != '\0'; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 127)
            *byte = '?';
}

static int note_threads(struct snapshot *snapshot)
{
    const struct seized *seized = &snapshot->seized;
    snapshot->threads = calloc(seized->count + 1, sizeof *snapshot->threads);
    if (snapshot->threads == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < seized->count; i++) {
        const struct seized_thread *from = &seized->threads[i];
        struct snapshot_thread *thread = &snapshot->threads[snapshot->thread_count++];
        thread->thread_id = from->thread_id;
        thread->registers = from->registers;
        thread->program_counter = seized_program_counter(from);
        thread->stack_pointer = seized_stack_pointer(from);
        thread->thread_pointer = seized_thread_pointer(from);
        for (int set = 0; set < SEIZE_SETS; set++) {
            thread->sets[set] = from->sets[set];
            thread->set_bytes[set] = from->set_bytes[set];
        }
        read_thread_name(snapshot, thread);
    }
    return 0;
}

/* What the stop is for, and nothing else. */
static int take_stopped(struct snapshot *snapshot, const struct ahead *ahead, const struct held_list *files, struct copying *copying)
{
    uint64_t since_ns;
    seize_hurry(ahead->is_on);
    int result = stop(snapshot, &since_ns);
    if (result == 0)
        result = snapshot_copy(snapshot, ahead, copying);
    if (result == 0)
        result = held_read(snapshot, files);
    seize_end(&snapshot->seized);
    snapshot->stopped_ns = clock_ns(CLOCK_MONOTONIC) - since_ns;
    seize_hurry(false);
    snapshot->taken_ms = clock_ns(CLOCK_REALTIME) / 1000000;
    return result;
}

/* Whoever looks at a large program wants to know what it has cost. */
static void say_stop(const struct snapshot *snapshot, const struct ahead *ahead)
{
    uint64_t longest_ns = snapshot->stopped_ns > ahead->paused_ns ? snapshot->stopped_ns : ahead->paused_ns;
    if (snapshot->heap.areas[HEAP_SLOTS].used_bytes < SNAPSHOT_NOTED_BYTES || !isatty(STDERR_FILENO))
        return;
    const char *why = ahead_problem(ahead);
    say("process %d stood still for %.1f ms%s%s", (int)snapshot->target.process_id, (double)longest_ns * 1e-6,
        why != NULL ? ": " : "", why != NULL ? why : "");
}

/* Afterwards the process may have ended; what of it was seen, counts. */
static int take_rest(struct snapshot *snapshot, struct ahead *ahead, const struct held_list *files, struct copying *copying)
{
    struct held_list now = {0};
    int result = snapshot_copy_rest(copying);
    if (held_list(&snapshot->target, &now) == 0 && held_read_new(snapshot, files, &now) == -ENOMEM)
        result = -ENOMEM;
    /* The process has begun to follow its writes itself, so that we can't tell what was written. */
    if (ahead->is_on && now.tracks_writes)
        result = -ESTALE;
    held_list_free(&now);
    read_guard(snapshot);
    return result == -ESRCH ? 0 : result;
}

static int take(struct snapshot *snapshot)
{
    struct ahead ahead = {.snapshot = snapshot, .watch = {-1, -1}};
    struct copying copying = {.snapshot = snapshot, .ahead = &ahead};
    struct held_list files = {0};
    int result = check_rights(&snapshot->target);
    if (result == 0)
        result = snapshot_prepare(snapshot, &ahead);
    if (result == 0)
        result = held_list(&snapshot->target, &files);
    if (result == 0)
        result = take_stopped(snapshot, &ahead, &files, &copying);
    ahead_end(&ahead);
    if (result == 0)
        say_stop(snapshot, &ahead);
    if (result == 0)
        result = take_rest(snapshot, &ahead, &files, &copying);
    held_list_free(&files);
    return result == 0 ? note_threads(snapshot) : result;
}

int snapshot_take_live(pid_t process_id, struct snapshot *snapshot_out)
{
    struct snapshot snapshot = {.core.descriptor = -1};
    int result = target_attach(process_id, &snapshot.target);
    if (result != 0)
        return result;
    result = take(&snapshot);
    if (result == 0)
        *snapshot_out = snapshot;
    else
        snapshot_free(&snapshot);
    return result == -ESTALE ? snapshot_take_live(process_id, snapshot_out) : result;
}

void snapshot_free(struct snapshot *snapshot)
{
    heap_copy_drop(&snapshot->heap);
    target_maps_free(&snapshot->maps);
    seize_free(&snapshot->seized);
    for (size_t i = 0; i < snapshot->note_count; i++)
        free(snapshot->notes[i]);
    free(snapshot->pieces);
    free(snapshot->threads);
    free(snapshot->values);
    for (size_t i = 0; i < snapshot->mirror_count; i++)
        munmap(snapshot->mirrors[i].bytes, snapshot->mirrors[i].end - snapshot->mirrors[i].start);
    free(snapshot->mirrors);
    if (snapshot->room != NULL)
        munmap(snapshot->room, snapshot->room_bytes);
    if (snapshot->core.descriptor >= 0)
        core_close(&snapshot->core);
    target_detach(&snapshot->target);
    *snapshot = (struct snapshot){.core.descriptor = -1, .target.folder = -1};
}

int snapshot_read(const struct snapshot *snapshot, uintptr_t address, void *bytes_out, size_t size_bytes)
{
    size_t low = 0, high = snapshot->piece_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct snapshot_piece *piece = &snapshot->pieces[middle];
        if (address < piece->address) {
            high = middle;
        } else if (address - piece->address >= piece->size_bytes) {
            low = middle + 1;
        } else {
            size_t offset = address - piece->address;
            if (size_bytes > piece->size_bytes - offset)
                return -EFAULT;
            memcpy(bytes_out, piece->bytes + offset, size_bytes);
            return 0;
        }
    }
    return -EFAULT;
}
