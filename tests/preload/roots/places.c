/* roots/places: tries each place in a process of its own and counts. */
#include "places.h"

#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, STRAYS_MAX = BLOCKS / 20, SECONDS_MAX = 60 };

static uintptr_t kept[BLOCKS];
static uintptr_t dropped[BLOCKS];
static const struct place *place;
static int (*collect_now)(void);
static bool (*is_block)(const void *);

__attribute__((noinline)) void wipe(void)
{
    volatile char room[100000];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
#if defined(__x86_64__)
    __asm__ volatile("vzeroall" : : : "memory");
#endif
}

uintptr_t kept_block(size_t index)
{
    return hide(kept[index]);
}

__attribute__((noinline)) void fill_words(uintptr_t *words, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] = hide(kept[first + i]);
    touch(words);
}

bool is_there(uintptr_t hidden_block)
{
    return is_block((const void *)hide(hidden_block));
}

void wait_for_byte(int descriptor)
{
    char byte;
    require(read(descriptor, &byte, 1) == 1);
}

__attribute__((noinline)) static void make(uintptr_t *blocks)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        char *block = malloc(BLOCK_BYTES);
        require(block != NULL);
        memset(block, 0, LINK_BYTES);
        pattern_fill(block + LINK_BYTES, BLOCK_BYTES - LINK_BYTES, (unsigned)i);
        blocks[i] = hide((uintptr_t)block);
    }
}

__attribute__((noinline)) static size_t alive(const uintptr_t *blocks, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += is_block((const void *)hide(blocks[i]));
    return found;
}

__attribute__((noinline)) static size_t intact(const uintptr_t *blocks, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += pattern_holds((const char *)hide(blocks[i]) + LINK_BYTES, BLOCK_BYTES - LINK_BYTES, (unsigned)i);
    return found;
}

/* Blocks of the same size that take the place of what was reclaimed. */
__attribute__((noinline)) static void overwrite(void)
{
    char *blocks[4 * BLOCKS];
    for (size_t i = 0; i < 4 * BLOCKS; i++)
        memset(blocks[i] = malloc(BLOCK_BYTES), 0xa5, BLOCK_BYTES);
    for (size_t i = 0; i < 4 * BLOCKS; i++)
        free(blocks[i]);
    memset(blocks, 0, sizeof blocks);
}

__attribute__((noinline)) void collect(void)
{
    wipe();
    require(collect_now() == 0);
}

static size_t place_count(void)
{
    return place->count != 0 ? place->count : BLOCKS;
}

static void put_all(void)
{
    for (size_t i = 0; i < place_count(); i++)
        place->put(i, hide(kept[i]));
    wipe();
}

static void expect(const char *what, size_t count, size_t least, size_t most)
{
    if (count < least || count > most) {
        printf("%s: %zu %s, not %zu to %zu\n", place->name, count, what, least, most);
        exit(1);
    }
}

static void check(void)
{
    collect();
    size_t others = alive(dropped, BLOCKS);
    expect("of the blocks held are there", alive(kept, place_count()), place_count(), place_count());
    overwrite();
    expect("of the blocks held are whole", intact(kept, place_count()), place_count(), place_count());
    expect("of the blocks held by nothing are there", others, 0, STRAYS_MAX);
}

/* For places whose blocks come and go with something that runs. */
static void try_place(void)
{
    alarm(SECONDS_MAX);
    if (place->prepare != NULL)
        place->prepare();
    make(kept);
    make(dropped);
    if (place->put != NULL)
        put_all();
    if (place->seal != NULL)
        place->seal();
    if (place->run != NULL)
        place->run(check);
    else
        check();
    if (place->clear == NULL)
        return;
    place->clear();
    collect();
    expect("blocks are there after the place was cleared", alive(kept, place_count()), 0, STRAYS_MAX);
}

/* A process of its own: what the one before has left on stacks and in registers is not there. */
static bool passes(const struct place *candidate, char **arguments)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *again[] = {arguments[0], (char *)candidate->name, NULL};
        execv("/proc/self/exe", again);
        _exit(99);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    if (status != 0)
        printf("not ok: %s: status %#x\n", candidate->name, (unsigned)status);
    return status == 0;
}

static const struct place *const lists[] = {memory_places, thread_places, stack_places, kernel_places};

int main(int count, char **arguments)
{
    setenv("GCALLOC_OPTIONS", "gc", 1);
    subject_require(arguments);
    collect_now = (int (*)(void))subject_function("gca_collect");
    is_block = (bool (*)(const void *))subject_function("gca_is_block");
    if (collect_now == NULL || is_block == NULL) {
        puts("skipped: this library does not collect");
        return SKIPPED;
    }
    unsigned tried = 0, failed = 0;
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++)
        for (place = lists[list]; place->name != NULL; place++) {
            if (count > 1 && strcmp(arguments[1], place->name) == 0) {
                try_place();
                return 0;
            }
            tried++;
            failed += count == 1 && !passes(place, arguments);
        }
    printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n", 100 * (tried - failed) / tried, tried, failed);
    return failed != 0 || count > 1;
}
