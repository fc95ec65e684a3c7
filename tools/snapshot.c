/*
 * tools/snapshot: all that is to be known of a process at one moment.
 *
 * What the stop has to do is prepared before it: the mappings and pages are listed once while the process runs, to get
 * memory here for all that will be copied.
 */
#include "tools/snapshot.h"

#include "os/maps.h"
#include "tools/held.h"
#include "tools/say.h"
#include "tools/snapshot_pages.h"

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

enum { TRIES_MAX = 24, SPARE_BYTES = 64 << 20, NOTED_BYTES = 512 << 20 };

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

/* ---- before the stop ---- */

struct plan {
    struct snapshot *snapshot;
    size_t heap_bytes;
    size_t other_bytes;
    struct copy_list *list; /* NULL while planning */
    size_t used_bytes;      /* of the snapshot's room */
};

static int plan_run(uintptr_t start, uintptr_t end, size_t map, bool in_heap, void *context)
{
    struct plan *plan = context;
    (void)map;
    *(in_heap ? &plan->heap_bytes : &plan->other_bytes) += end - start;
    return 0;
}

static int prepare_run(uintptr_t start, uintptr_t end, size_t map, bool in_heap, void *context)
{
    struct plan *plan = context;
    (void)map;
    uintptr_t first = plan->snapshot->heap.areas[HEAP_SLOTS].start;
    uintptr_t last = first + plan->snapshot->heap.areas[HEAP_SLOTS].mapped_bytes;
    if (in_heap && start >= first && end <= last)
        heap_copy_prepare(start, end);
    return 0;
}

static size_t memory_available(void)
{
    char line[128];
    size_t kib = SIZE_MAX / 1024;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %zu kB", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

static int prepare_memory(struct snapshot *snapshot, const struct plan *plan)
{
    size_t tables_bytes =
        snapshot->heap.areas[HEAP_TABLES].mapped_bytes + snapshot->heap.areas[HEAP_METADATA].mapped_bytes;
    size_t bytes = plan->heap_bytes + plan->other_bytes + tables_bytes;
    if (bytes > memory_available())
        return -EOVERFLOW;
    if (bytes >= NOTED_BYTES && isatty(STDERR_FILENO))
        say("copying %.1f GiB of process %d", (double)bytes / (1 << 30), (int)snapshot->target.process_id);
    size_t room_bytes = plan->other_bytes + plan->other_bytes / 4 + SPARE_BYTES;
    void *room = mmap(NULL, room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return -errno;
    snapshot->room = room;
    snapshot->room_bytes = room_bytes;
    heap_copy_prepare((uintptr_t)room, (uintptr_t)room + plan->other_bytes);
    for (int area = HEAP_TABLES; area <= HEAP_METADATA; area++)
        heap_copy_prepare(snapshot->heap.areas[area].start,
                          snapshot->heap.areas[area].start + snapshot->heap.areas[area].mapped_bytes);
    return 0;
}

static int prepare(struct snapshot *snapshot)
{
    struct plan plan = {.snapshot = snapshot};
    int result = heap_copy_map(&snapshot->heap, &snapshot->target);
    if (result == 0)
        result = target_maps_read(&snapshot->target, &snapshot->maps);
    if (result == 0)
        result = snapshot_pages_each(snapshot, plan_run, &plan);
    if (result == 0)
        result = prepare_memory(snapshot, &plan);
    if (result == 0)
        result = snapshot_pages_each(snapshot, prepare_run, &plan);
    target_maps_free(&snapshot->maps);
    return result;
}

/* ---- during the stop ---- */

static int add_piece(struct snapshot *snapshot, struct snapshot_piece piece)
{
    size_t count = snapshot->piece_count;
    if ((count & (count + 1)) == 0) {
        struct snapshot_piece *pieces = realloc(snapshot->pieces, (2 * count + 1) * sizeof *pieces);
        if (pieces == NULL)
            return -ENOMEM;
        snapshot->pieces = pieces;
    }
    snapshot->pieces[snapshot->piece_count++] = piece;
    return 0;
}

/* What is joined to the last piece is copied in one go. */
static int copy_outside_run(struct plan *plan, uintptr_t start, uintptr_t end, size_t map)
{
    struct snapshot *snapshot = plan->snapshot;
    if (end - start > snapshot->room_bytes - plan->used_bytes)
        return -EOVERFLOW;
    unsigned char *to = snapshot->room + plan->used_bytes;
    plan->used_bytes += end - start;
    int result = copy_add(plan->list, start, to, end - start);
    struct snapshot_piece *last = snapshot->piece_count == 0 ? NULL : &snapshot->pieces[snapshot->piece_count - 1];
    if (result != 0 || (last != NULL && last->map == map && last->address + last->size_bytes == start)) {
        if (result == 0)
            last->size_bytes += end - start;
        return result;
    }
    return add_piece(snapshot, (struct snapshot_piece){start, to, end - start, map});
}

static int copy_page_run(uintptr_t start, uintptr_t end, size_t map, bool in_heap, void *context)
{
    struct plan *plan = context;
    if (in_heap)
        return heap_copy_add_slots(&plan->snapshot->heap, start, end, plan->list);
    return copy_outside_run(plan, start, end, map);
}

static void read_guard(struct snapshot *snapshot)
{
    enum { GUARD_OFFSET = 0x30 }; /* in glibc's thread control block on x86-64 */
    for (size_t i = 0; i < snapshot->seized.count && snapshot->guard == 0; i++) {
        uintptr_t pointer = seized_thread_pointer(&snapshot->seized.threads[i]);
        if (pointer != 0)
            target_read_all(&snapshot->target, pointer + GUARD_OFFSET, &snapshot->guard, sizeof snapshot->guard);
    }
}

static int copy_all(struct snapshot *snapshot)
{
    struct copy_list list = {0};
    struct plan plan = {.snapshot = snapshot, .list = &list};
    size_t unread_bytes = 0;
    int result = heap_copy_map(&snapshot->heap, &snapshot->target);
    if (result == 0)
        result = snapshot_pages_each(snapshot, copy_page_run, &plan);
    if (result == 0)
        result = heap_copy_add_tables(&snapshot->heap, &list);
    if (result == 0)
        result = copy_run(&list, &snapshot->target, &unread_bytes);
    if (result == 0 && unread_bytes != 0)
        snapshot_note(snapshot, "%zu bytes of its memory could not be read", unread_bytes);
    snapshot->copied_bytes = list.total_bytes;
    copy_free(&list);
    read_guard(snapshot);
    return result == 0 ? held_read(snapshot) : result;
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

static int take(struct snapshot *snapshot)
{
    uint64_t since_ns;
    int result = check_rights(&snapshot->target);
    if (result == 0)
        result = prepare(snapshot);
    if (result != 0)
        return result;
    result = stop(snapshot, &since_ns);
    if (result == 0)
        result = copy_all(snapshot);
    seize_end(&snapshot->seized);
    snapshot->stopped_ns = clock_ns(CLOCK_MONOTONIC) - since_ns;
    snapshot->taken_ms = clock_ns(CLOCK_REALTIME) / 1000000;
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
    return result;
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
