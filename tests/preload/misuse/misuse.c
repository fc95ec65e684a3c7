#include "preload/misuse/misuse.h"

#include "support/pattern.h"
#include "support/subject.h"

#include <unistd.h>

enum { BLOCKS = 3000, LARGE_BLOCKS = 8 };
static const size_t large = 100000;

void name_address(const char *name, const void *address)
{
    dprintf(STDOUT_FILENO, "%s %p\n", name, address);
}

void *in_a_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    void *result;

    if (pthread_create(&thread, NULL, function, argument) != 0 ||
        pthread_join(thread, &result) != 0)
        abort();
    return result;
}

static bool blocks_are_sound(size_t size_bytes, unsigned count)
{
    static void *blocks[BLOCKS];
    bool sound = true;

    for (unsigned i = 0; i < count; i++) {
        blocks[i] = malloc(size_bytes);
        if (blocks[i] == NULL)
            return false;
        pattern_fill(blocks[i], size_bytes, i);
    }
    for (unsigned i = 0; i < count; i++) {
        sound = sound && pattern_holds(blocks[i], size_bytes, i);
        free(blocks[i]);
    }
    return sound;
}

int survive(size_t size_bytes)
{
    unsigned count = size_bytes > large ? LARGE_BLOCKS : BLOCKS;

    for (int round = 0; round < 3; round++)
        if (!blocks_are_sound(size_bytes, count) || !subject_verify()) {
            dprintf(STDOUT_FILENO, "damaged\n");
            return 1;
        }
    dprintf(STDOUT_FILENO, "survived\n");
    return 0;
}
