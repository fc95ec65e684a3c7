/*
 * tests/preload/collect/couriers: what an address may pass through on its way from one block to another while the collector works.
 *
 *     couriers THREADS ROUNDS [resize]
 *
 * Each thread makes a parcel, a few blocks that know what is in them, and hands its address from one courier to the next. Each keeps the
 * only copy for a while where a collector could overlook it: in a register while the block it came in is resized, in a pipe, in a
 * page that the kernel writes, in a thread that ends. At the end of each way the parcel must be whole. One thread more collects all
 * the time. With "resize" all go by realloc of large blocks.
 */
#include "gcalloc.h"
#include "support/opaque.h"
#include "support/require.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    THREADS_MAX = 16,
    PARTS = 4,
    TABLE_WORDS = 1 << 16,
    FORK_EVERY = 97,
    MAPPED_BYTES = 1 << 20
};

struct part {
    struct part *next;
    uint64_t seed;
    uint64_t words[13];
};

struct courier {
    uint64_t random;
    void *volatile *table; /* old, of many pages */
    int pipe[2];
    int socket[2];
};

typedef struct part *way(struct courier *self, struct part *parcel);

static atomic_bool is_over;
static pthread_key_t key;

static uint64_t next_random(struct courier *self)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return self->random;
}

static void let_others(void)
{
    sched_yield();
}

static void *must(void *block)
{
    require(block != NULL);
    return block;
}

/* ---- parcels ---- */

static struct part *make_parcel(struct courier *self)
{
    struct part *first = NULL;
    for (int i = 0; i < PARTS; i++) {
        struct part *part = must(opaque(malloc(sizeof *part)));
        part->next = first;
        part->seed = next_random(self);
        for (size_t word = 0; word < sizeof part->words / sizeof *part->words; word++)
            part->words[word] = part->seed + word;
        first = part;
    }
    return first;
}

static void check_parcel(const struct part *part)
{
    int count = 0;
    for (; part != NULL; part = part->next, count++)
        for (size_t word = 0; word < sizeof part->words / sizeof *part->words; word++)
            require(part->words[word] == part->seed + word);
    require(count == PARTS);
}

static void free_parcel(struct part *part)
{
    while (part != NULL) {
        struct part *next = part->next;
        free(part);
        part = next;
    }
}

/* What is left of addresses in dead frames would hold the parcel. */
static __attribute__((noinline)) void clear_stack(void)
{
    char room[4096];
    memset(opaque(room), 0, sizeof room);
    opaque(room);
}

/* ---- by realloc: meanwhile nothing but the call's own registers leads to the block ---- */

/*
 * Between two calls the address lies in the cell. Were only its complement there, a thread that is stopped between them would have
 * lost the block: the collector would be right to take it, and the parcel with it.
 */
static __attribute__((noinline)) void resize(void *volatile *cell, size_t size)
{
    void *block = *cell;
    *cell = NULL;
    *cell = must(realloc(block, size));
}

static struct part *resize_through(struct part *parcel, const size_t *sizes, size_t count)
{
    void *volatile cell = must(opaque(malloc(sizes[0])));
    size_t last = sizes[0] / sizeof parcel - 1;
    ((struct part **)cell)[last] = parcel;
    parcel = opaque(NULL);
    for (size_t i = 1; i < count; i++) {
        resize(&cell, sizes[i]);
        clear_stack();
    }
    parcel = ((struct part **)cell)[last];
    free(cell);
    return parcel;
}

static struct part *through_large(struct courier *self, struct part *parcel)
{
    size_t first = 20000 + next_random(self) % 200000 / 8 * 8;
    const size_t sizes[] = {first, first * 2, first * 3, first * 5, first + 8, first * 2};
    return resize_through(parcel, sizes, sizeof sizes / sizeof *sizes);
}

static struct part *through_slots(struct courier *self, struct part *parcel)
{
    (void)self;
    static const size_t sizes[] = {48, 200, 1000, 5000, 15000, 60000, 9000, 100, 48};
    return resize_through(parcel, sizes, sizeof sizes / sizeof *sizes);
}

/* ---- by the kernel: it writes the address to a page of a block ---- */

static struct part *take_out(struct part **box)
{
    let_others();
    struct part *parcel = box[7];
    box[7] = NULL;
    free(box);
    return parcel;
}

static struct part *through_pipe(struct courier *self, struct part *parcel)
{
    struct part **box = must(opaque(malloc(8 * sizeof *box)));
    require(write(self->pipe[1], &parcel, sizeof parcel) == sizeof parcel);
    parcel = opaque(NULL);
    let_others();
    require(read(self->pipe[0], &box[7], sizeof *box) == sizeof *box);
    return take_out(box);
}

static struct part *through_call(struct courier *self, struct part *parcel)
{
    (void)self;
    struct part **box = must(opaque(calloc(1000, sizeof *box)));
    struct iovec from = {&parcel, sizeof parcel}, to = {&box[7], sizeof parcel};
    require(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == sizeof parcel);
    parcel = opaque(NULL);
    return take_out(box);
}

/* The address lies in a block until the very moment in which it lies in the other end's. */
static struct part *through_socket(struct courier *self, struct part *parcel)
{
    struct part **box = must(opaque(malloc(8 * sizeof *box)));
    self->table[3] = parcel; /* what waits in sockets is nobody's to see */
    parcel = opaque(NULL);
    require(send(self->socket[1], (const void *)&self->table[3], sizeof *box, 0) == sizeof *box);
    require(recv(self->socket[0], &box[7], sizeof *box, 0) == sizeof *box);
    self->table[3] = NULL;
    return take_out(box);
}

/* ---- by a signal's handler ---- */

static __thread struct part *volatile *handler_from, *volatile *handler_to;

static void on_signal(int signal)
{
    (void)signal;
    *handler_to = *handler_from;
    *handler_from = NULL;
}

static struct part *through_handler(struct courier *self, struct part *parcel)
{
    struct part **box = must(opaque(calloc(8, sizeof *box)));
    size_t place = next_random(self) % TABLE_WORDS;
    self->table[place] = parcel;
    parcel = opaque(NULL);
    handler_from = (struct part *volatile *)&self->table[place];
    handler_to = (struct part *volatile *)&box[7];
    pthread_kill(pthread_self(), SIGUSR1);
    return take_out(box);
}

/* ---- by a thread that ends ---- */

static void *give_back(void *parcel)
{
    let_others();
    return parcel;
}

static void on_thread_end(void *value)
{
    struct part **box = value;
    box[7] = box[0];
    box[0] = NULL;
}

static void *leave_to_key(void *value)
{
    require(pthread_setspecific(key, value) == 0);
    return NULL;
}

static struct part *through_thread(struct courier *self, struct part *parcel)
{
    pthread_t thread;
    void *result;
    (void)self;
    require(pthread_create(&thread, NULL, give_back, parcel) == 0);
    parcel = opaque(NULL);
    let_others();
    require(pthread_join(thread, &result) == 0);
    return result;
}

static struct part *through_key(struct courier *self, struct part *parcel)
{
    pthread_t thread;
    struct part **box = must(opaque(calloc(8, sizeof *box)));
    (void)self;
    box[0] = parcel;
    parcel = opaque(NULL);
    require(pthread_create(&thread, NULL, leave_to_key, box) == 0);
    require(pthread_join(thread, NULL) == 0);
    return take_out(box);
}

/* ---- by mappings, and by pages that nobody has touched or that are written all the time ---- */

static struct part *through_mapping(struct courier *self, struct part *parcel)
{
    int kind = next_random(self) % 2 != 0 ? MAP_SHARED : MAP_PRIVATE;
    struct part *volatile *place =
        mmap(NULL, MAPPED_BYTES, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    require(place != MAP_FAILED);
    place[1000] = parcel;
    parcel = opaque(NULL);
    let_others();
    place = mremap((void *)place, MAPPED_BYTES, 2 * MAPPED_BYTES, MREMAP_MAYMOVE);
    require(place != MAP_FAILED);
    parcel = place[1000];
    require(munmap((void *)place, 2 * MAPPED_BYTES) == 0);
    return parcel;
}

static struct part *through_untouched(struct courier *self, struct part *parcel)
{
    size_t bytes = (size_t)1 << (15 + next_random(self) % 7);
    struct part *volatile *box = must(opaque(calloc(1, bytes)));
    size_t place = next_random(self) % (bytes / sizeof *box);
    box[place] = parcel;
    parcel = opaque(NULL);
    let_others();
    parcel = box[place];
    free((void *)box);
    return parcel;
}

static struct part *through_table(struct courier *self, struct part *parcel)
{
    for (int i = 0; i < 16; i++) {
        size_t place = next_random(self) % TABLE_WORDS;
        self->table[place] = parcel;
        parcel = opaque(NULL);
        if (i % 4 == 0)
            let_others();
        parcel = self->table[place];
        self->table[place] = NULL;
    }
    return parcel;
}

static struct part *through_child(struct courier *self, struct part *parcel)
{
    if (next_random(self) % FORK_EVERY != 0)
        return parcel;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        gca_collect();
        check_parcel(parcel);
        _exit(0);
    }
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    return parcel;
}

/* ---- all of them ---- */

static way *const ways[] = {
    through_large,   through_slots,     through_pipe,   through_call,
    through_socket,  through_handler,   through_thread, through_key,
    through_mapping, through_untouched, through_table,  through_child,
};

static unsigned long rounds;
static size_t way_count = sizeof ways / sizeof *ways;

static void *carry(void *argument)
{
    struct courier self = {.random = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15u + 1};
    self.table = must(calloc(TABLE_WORDS, sizeof *self.table));
    require(pipe(self.pipe) == 0);
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, self.socket) == 0);
    for (unsigned long i = 0; i < rounds; i++) {
        struct part *volatile parcel = make_parcel(&self);
        for (int hop = 0; hop < 4; hop++) {
            way *by = ways[next_random(&self) % way_count];
            struct part *sent = parcel;
            parcel = NULL;
            parcel = by(&self, sent);
            check_parcel(parcel);
            clear_stack();
        }
        if (next_random(&self) % 2 != 0)
            free_parcel(parcel);
    }
    return NULL;
}

static void *collect(void *argument)
{
    (void)argument;
    for (int i = 0; !is_over; i++) {
        if (i % 2 != 0)
            gca_collect();
        else
            gca_collect_young();
        let_others();
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 2;
    rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    if (argc > 3 && strcmp(argv[3], "resize") == 0)
        way_count = 1;
    pthread_t threads[THREADS_MAX], collector;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    require(count > 0 && count <= THREADS_MAX);
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    require(pthread_key_create(&key, on_thread_end) == 0);
    require(pthread_create(&collector, NULL, collect, NULL) == 0);
    for (int i = 0; i < count; i++)
        require(pthread_create(&threads[i], NULL, carry, (void *)(uintptr_t)(i + 1)) == 0);
    for (int i = 0; i < count; i++)
        require(pthread_join(threads[i], NULL) == 0);
    is_over = true;
    require(pthread_join(collector, NULL) == 0);
    return 0;
}
