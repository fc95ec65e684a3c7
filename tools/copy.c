/*
 * tools/copy: much of a target's memory at once.
 *
 * The kernel copies (process_vm_readv), so a thread a processor helps until the memory is busy. Pages that the process
 * itself may not read are read through /proc/PID/mem, as a debugger does.
 */
#include "tools/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CHUNK_BYTES = 4 << 20, WORKERS_MAX = 8, WORKER_BYTES_MIN = 8 << 20, PARTS_MAX = 64, PAGE_BYTES = 4096 };

struct work {
    const struct copy_list *list;
    const struct target *target;
    int memory; /* /proc/PID/mem, or -1 */
    _Atomic size_t next;
    pthread_mutex_t lock;
    struct copy_list *unread; /* under the lock */
    _Atomic int result;
};

int copy_add(struct copy_list *list, uintptr_t address, void *to, size_t size_bytes)
{
    unsigned char *bytes = to;
    for (size_t done = 0; done < size_bytes; done += CHUNK_BYTES) {
        if ((list->count & (list->count + 1)) == 0) {
            struct copy_piece *pieces = realloc(list->pieces, (2 * list->count + 1) * sizeof *pieces);
            if (pieces == NULL)
                return -ENOMEM;
            list->pieces = pieces;
        }
        size_t rest = size_bytes - done;
        list->pieces[list->count++] =
            (struct copy_piece){address + done, bytes + done, rest < CHUNK_BYTES ? rest : CHUNK_BYTES};
    }
    list->total_bytes += size_bytes;
    return 0;
}

void copy_free(struct copy_list *list)
{
    free(list->pieces);
    *list = (struct copy_list){0};
}

static int note_unread(struct work *work, uintptr_t address, void *to, size_t size_bytes)
{
    pthread_mutex_lock(&work->lock);
    int result = copy_add(work->unread, address, to, size_bytes);
    pthread_mutex_unlock(&work->lock);
    return result;
}

/* What the kernel did not read for us at once, page by page. */
static int read_slowly(struct work *work, struct copy_piece piece)
{
    int result = 0;
    for (size_t done = 0; done < piece.size_bytes && result == 0;) {
        uintptr_t address = piece.address + done;
        size_t wanted = PAGE_BYTES - address % PAGE_BYTES;
        wanted = wanted < piece.size_bytes - done ? wanted : piece.size_bytes - done;
        ssize_t count = target_read(work->target, address, piece.to + done, wanted);
        if (count == -ESRCH)
            return -ESRCH;
        if (count != (ssize_t)wanted && work->memory >= 0)
            count = pread(work->memory, piece.to + done, wanted, (off_t)address);
        if (count != (ssize_t)wanted)
            result = note_unread(work, address, piece.to + done, wanted);
        done += wanted;
    }
    return result;
}

static int read_pieces(struct work *work, const struct copy_piece *pieces, size_t count)
{
    struct iovec local[PARTS_MAX], remote[PARTS_MAX];
    size_t total_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        local[i] = (struct iovec){pieces[i].to, pieces[i].size_bytes};
        remote[i] = (struct iovec){(void *)pieces[i].address, pieces[i].size_bytes};
        total_bytes += pieces[i].size_bytes;
    }
    ssize_t done = process_vm_readv(work->target->thread_id, local, count, remote, count, 0);
    if (done == (ssize_t)total_bytes)
        return 0;
    if (done < 0 && errno != EFAULT)
        return -errno;
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = read_slowly(work, pieces[i]);
    return result;
}

/* Small pieces in one call, up to a chunk. */
static size_t group_from(const struct copy_list *list, size_t first, size_t limit)
{
    size_t bytes = 0, count = 0;
    while (first + count < limit && count < PARTS_MAX && (count == 0 || bytes + list->pieces[first + count].size_bytes <= CHUNK_BYTES))
        bytes += list->pieces[first + count++].size_bytes;
    return count;
}

static void *work_on(void *context)
{
    struct work *work = context;
    const struct copy_list *list = work->list;
    while (atomic_load(&work->result) == 0) {
        size_t first = atomic_load(&work->next), count;
        do
            count = group_from(list, first, list->count);
        while (count != 0 && !atomic_compare_exchange_weak(&work->next, &first, first + count));
        if (count == 0)
            break;
        int result = read_pieces(work, list->pieces + first, count);
        if (result != 0)
            atomic_store(&work->result, result);
    }
    return NULL;
}

static size_t count_workers(const struct copy_list *list)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = list->total_bytes / WORKER_BYTES_MIN + 1;
    size_t limit = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (size_t)processors;
    return wanted < limit ? wanted : limit;
}

int copy_run(const struct copy_list *list, const struct target *target, struct copy_list *unread)
{
    struct work work = {.list = list, .target = target, .lock = PTHREAD_MUTEX_INITIALIZER, .unread = unread};
    char path[48];
    snprintf(path, sizeof path, "task/%d/mem", (int)target->thread_id);
    work.memory = openat(target->folder, path, O_RDONLY | O_CLOEXEC);
    pthread_t threads[WORKERS_MAX];
    size_t started = 0, wanted = count_workers(list);
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work_on, &work) == 0)
        started++;
    work_on(&work);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (work.memory >= 0)
        close(work.memory);
    return atomic_load(&work.result);
}
