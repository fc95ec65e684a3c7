/*
 * tools/why: `gcalloc why`, its command line. What it says is in tools/why_text.
 */
#include "tools/why.h"

#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/say.h"
#include "tools/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: gcalloc why [OPTION]... PID|CORE ADDRESS...\n"
    "\n"
    "Says why the block at an address is still there: the shortest way to it from a variable, a\n"
    "stack, a register or something the kernel holds, every block on that way with its size, where\n"
    "in it the next one's address stands, and where it was allocated; the last block on the way\n"
    "without which this one would be lost; and what would be freed with it.\n"
    "\n"
    "  -a, --all    every block of a long way\n"
    "  -h, --help   print this\n"
    "\n"
    "The address may lie anywhere in the block, as 0x7f31c0 or 7f31c0. The process stands still for a\n"
    "few milliseconds; where its writes can't be followed, see gcalloc(1), while its memory is copied,\n"
    "for less than half a second a gigabyte. Where blocks were allocated is known if the program runs\n"
    "with the option stacks.\n"
    "\n"
    "  gcalloc why 4711 0x7f3a5c0010\n"
    "  gcalloc why core.4711 0x7f3a5c0010\n"
    "\n"
    "Exit status: 0; 1 when there is no such block, or the process or core file can't be looked into; 2 for\n"
    "a wrong call.\n";

enum { PARSED = -1 };

static int parse_address(const char *text, uintptr_t *address_out)
{
    char *end;
    errno = 0;
    unsigned long address = strtoul(text, &end, 16);
    if (end == text || *end != '\0' || errno != 0 || *text == '-') {
        say_error("not an address: %s; see gcalloc help why", text);
        return STATUS_USAGE;
    }
    *address_out = address;
    return STATUS_DONE;
}

static int parse(int argc, char **argv, struct why *why)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = arguments_next(argc, argv, "ah", options)) != -1) {
        if (letter == 'h')
            return fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
        if (letter != 'a')
            return STATUS_USAGE;
        why->is_whole = true;
    }
    if (argc - optind < 2) {
        say_error("%s; see gcalloc help why", argc == optind ? "no process id or core file given" : "no address given");
        return STATUS_USAGE;
    }
    return PARSED;
}

static int answer_all(struct why *why, char **addresses, size_t count)
{
    int status = STATUS_DONE;
    for (size_t i = 0; i < count; i++) {
        uintptr_t address = strtoul(addresses[i], NULL, 16);
        if (i > 0)
            putchar('\n');
        int one = why_answer(why, address);
        status = one != STATUS_DONE ? one : status;
    }
    return status;
}

static int why(int argc, char **argv)
{
    static struct snapshot snapshot;
    struct why why = {.is_whole = false};
    char **arguments = argv + 1;
    int status = parse(argc, argv, &why);
    if (status != PARSED)
        return status;
    const char *subject = argv[optind];
    char **addresses = argv + optind + 1;
    size_t count = (size_t)(argc - optind - 1);
    for (size_t i = 0; i < count; i++) {
        uintptr_t address;
        status = parse_address(addresses[i], &address);
        if (status != STATUS_DONE)
            return status;
    }
    status = subject_open(subject, "why", arguments, &snapshot);
    if (status != STATUS_DONE)
        return status;
    why.places = places_open(&snapshot);
    status = answer_all(&why, addresses, count);
    for (size_t i = 0; i < snapshot.note_count; i++)
        say("%s", snapshot.notes[i]);
    places_close(&why.places);
    subject_close(&snapshot);
    return status;
}

const struct command command_why = {"why", "say what holds a block of a program", help, why};
