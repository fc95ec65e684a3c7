/*
 * tool/holder: a program whose heap is known. It does what its standard input says, one line at a time, and answers
 * each with "done".
 *
 *     take COUNT SIZE   allocate so many more blocks
 *     drop              free the newest of these groups of blocks
 *     leave             end the first thread; another one reads on
 *     become PROGRAM    exec
 *     damage COUNT SEED overwrite so many words of the heap's own tables, chosen at random
 *     forge             overwrite the version of the image
 *
 * After the last two there is no more allocating.
 */
#include "base/image.h"
#include "support/opaque.h"
#include "tool/damage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 16 };

struct group {
    size_t count;
    void **blocks;
};

static struct group groups[GROUPS_MAX];
static size_t group_count;

static void take(size_t count, size_t size_bytes)
{
    if (group_count == GROUPS_MAX)
        abort();
    struct group *group = &groups[group_count++];
    group->count = count;
    group->blocks = malloc(count * sizeof group->blocks[0]);
    for (size_t i = 0; i < count; i++)
        group->blocks[i] = opaque(malloc(opaque_size(size_bytes)));
}

static void drop(void)
{
    if (group_count == 0)
        abort();
    struct group *group = &groups[--group_count];
    for (size_t i = 0; i < group->count; i++)
        free(group->blocks[i]);
    free(group->blocks);
}

static void answer(void)
{
    static const char line[] = "done\n";
    if (write(STDOUT_FILENO, line, sizeof line - 1) < 0)
        _exit(1);
}

/* Byte by byte, without stdio: a program after exec and another thread go on where this one stops. */
static int read_line(char *line, size_t size_bytes)
{
    size_t length = 0;
    while (length + 1 < size_bytes && read(STDIN_FILENO, line + length, 1) == 1)
        if (line[length++] == '\n')
            break;
    line[length] = '\0';
    return length > 0;
}

static void serve(void);

/* Goes on when the thread before is gone: its end allocates, too. */
static void *follow(void *first)
{
    if (pthread_join(*(pthread_t *)first, NULL) != 0)
        abort();
    serve();
    return NULL;
}

static void leave(void)
{
    static pthread_t self;
    pthread_t thread;
    self = pthread_self();
    if (pthread_create(&thread, NULL, follow, &self) != 0)
        abort();
    pthread_exit(NULL);
}

static void obey(char *line)
{
    size_t count;
    size_t size_bytes;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "take %zu %zu", &count, &size_bytes) == 2)
        take(count, size_bytes);
    else if (strcmp(line, "drop") == 0)
        drop();
    else if (strncmp(line, "become ", 7) == 0)
        execl(line + 7, line + 7, (char *)NULL);
    else if (sscanf(line, "damage %zu %zu", &count, &size_bytes) == 2)
        damage_tables(count, size_bytes);
    else if (strcmp(line, "forge") == 0)
        damage_image()->version++;
    else if (strcmp(line, "leave") == 0)
        leave();
    else
        abort();
}

static void serve(void)
{
    char line[512];
    /* The first answer of a thread says that it is there. */
    for (answer(); read_line(line, sizeof line); answer())
        obey(line);
    exit(0);
}

int main(void)
{
    serve();
    return 0;
}
