/*
 * tools/dangling_command: `gcalloc dangling`.
 */
#include "tools/command.h"
#include "tools/dangling.h"
#include "tools/dangling_text.h"
#include "tools/say.h"
#include "tools/subject.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: gcalloc dangling [OPTION]... PID|CORE\n"
    "\n"
    "Says who still points to memory that a program has freed: variables, stacks, registers and blocks,\n"
    "with where the freed block was allocated and freed. The program runs with the option quarantine,\n"
    "which holds such blocks, or guard_sample.\n"
    "\n"
    "  -n, --max=COUNT   so many blocks at most (100; 0 is all)\n"
    "  -h, --help        print this\n"
    "\n"
    "A pointer that is never used again does no harm, and a stack may have old words in live frames. The\n"
    "process stands still while its memory is copied, for less than half a second a gigabyte; nothing\n"
    "runs in it. Stacks of blocks are known if the program runs with the option stacks.\n"
    "\n"
    "  gcalloc run --quarantine --options=stacks=16 -- ./program & gcalloc dangling $!\n"
    "  gcalloc dangling core.4711\n"
    "\n"
    "Exit status: 0; 1 when the process or core file can't be looked into; 2 for a wrong call.\n";

enum { PARSED = -1, BLOCKS_SHOWN = 100, PLACES_SHOWN = 16 };

static int parse(int argc, char **argv, size_t *max_out)
{
    static const struct option options[] = {
        {"max", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = getopt_long(argc, argv, "n:h", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
        if (letter != 'n')
            return STATUS_USAGE;
        char *end;
        errno = 0;
        *max_out = strtoul(optarg, &end, 10);
        if (end == optarg || *end != '\0' || errno != 0 || *optarg == '-') {
            say_error("not a number: %s; see gcalloc help dangling", optarg);
            return STATUS_USAGE;
        }
    }
    if (argc - optind != 1) {
        say_error("%s; see gcalloc help dangling", argc == optind ? "no process id or core file given" : "more than one process id or core file given");
        return STATUS_USAGE;
    }
    return PARSED;
}

/* How many pointers, from this one on, lead to the same block. */
static size_t count_to_same(const struct dangling *dangling, size_t from)
{
    size_t to = from;
    while (to < dangling->count && dangling->pointers[to].block.start == dangling->pointers[from].block.start)
        to++;
    return to - from;
}

static void show(const struct places *places, const struct dangling *dangling, size_t max)
{
    size_t blocks = 0, here;
    for (size_t i = 0; i < dangling->count; i += here, blocks++) {
        here = count_to_same(dangling, i);
        if (max == 0 || blocks < max)
            dangling_print(places, &dangling->pointers[i].block, &dangling->pointers[i], here, PLACES_SHOWN);
    }
    printf("%zu freed block%s of ", dangling->freed_blocks, dangling->freed_blocks == 1 ? "" : "s");
    place_print_bytes(dangling->freed_bytes);
    printf(" held, %zu still pointed to, from %zu place%s\n", blocks, dangling->count, dangling->count == 1 ? "" : "s");
}

static int answer(const struct snapshot *snapshot, size_t max)
{
    struct dangling dangling;
    if (dangling_find(NULL, &dangling) != 0) {
        say_error("not enough memory");
        return STATUS_FAILED;
    }
    struct places places = places_open(snapshot);
    show(&places, &dangling, max);
    places_close(&places);
    dangling_free(&dangling);
    return STATUS_DONE;
}

static int dangling(int argc, char **argv)
{
    static struct snapshot snapshot;
    size_t max = BLOCKS_SHOWN;
    char **arguments = argv + 1;
    int status = parse(argc, argv, &max);
    if (status != PARSED)
        return status;
    status = subject_open(argv[optind], "dangling", arguments, &snapshot);
    if (status != STATUS_DONE)
        return status;
    status = answer(&snapshot, max);
    for (size_t i = 0; i < snapshot.note_count; i++)
        say("%s", snapshot.notes[i]);
    subject_close(&snapshot);
    return status;
}

const struct command command_dangling = {"dangling", "say what still points to memory that a program has freed", help, dangling};
