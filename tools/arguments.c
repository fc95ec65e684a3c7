#include "tools/arguments.h"

#include "tools/say.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LETTERS_MAX = 64 };

static bool is_long(const char *word)
{
    return strncmp(word, "--", 2) == 0;
}

/* A letter, or what a long option stands for. */
static bool is_known(int letter, const char *letters, const struct option *options)
{
    if (letter > 0 && letter < 128 && strchr(letters, letter) != NULL)
        return true;
    while (options->name != NULL && options->val != letter)
        options++;
    return options->name != NULL;
}

/* How many long options begin so. */
static unsigned count_of(const char *word, const struct option *options)
{
    unsigned count = 0;
    size_t length = strcspn(word + 2, "=");
    for (; options->name != NULL; options++)
        count += strncmp(options->name, word + 2, length) == 0;
    return count;
}

static void complain(char **argv, const char *word, const char *problem)
{
    const char *command = strchr(argv[0], ' ');
    if (command != NULL)
        say_error("%s: option '%.*s' %s; see gcalloc help %s", command + 1, (int)strcspn(word, "="), word, problem, command + 1);
    else
        say_error("option '%.*s' %s; see gcalloc --help", (int)strcspn(word, "="), word, problem);
}

static void complain_of_unknown(char **argv, const char *word)
{
    const char *command = strchr(argv[0], ' ');
    if (command != NULL)
        say_error("%s: unknown option '%s'; see gcalloc help %s", command + 1, word, command + 1);
    else
        say_error("unknown option '%s'; see gcalloc --help", word);
}

/* After getopt_long(), which has left the word behind it unless that is a row of letters with more to come. */
static void explain(int letter, char **argv, const char *letters, const struct option *options)
{
    const char *word = argv[optind - 1];
    char short_word[] = {'-', (char)optopt, '\0'};
    if (letter == ':')
        complain(argv, is_long(word) ? word : short_word, "needs an argument");
    else if (optopt != 0 && is_known(optopt, letters, options))
        complain(argv, word, "takes no argument");
    else if (optopt != 0)
        complain_of_unknown(argv, short_word);
    else if (count_of(word, options) > 1)
        complain(argv, word, "may be one of several");
    else
        complain_of_unknown(argv, word);
}

int arguments_next(int argc, char **argv, const char *letters, const struct option *options)
{
    char own[LETTERS_MAX];
    bool stops = letters[0] == '+';
    /* The colon tells a missing argument from an unknown option. */
    snprintf(own, sizeof own, "%s:%s", stops ? "+" : "", letters + stops);
    opterr = 0;
    int letter = getopt_long(argc, argv, own, options, NULL);
    if (letter != '?' && letter != ':')
        return letter;
    explain(letter, argv, letters, options);
    return '?';
}
