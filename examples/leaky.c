/*
 * examples/leaky: a small program with a leak, to see how it is found. It counts the words of a text line by line, and forgets
 * something at the end of each line.
 *
 *     gcalloc run --leaks -- ./leaky
 *
 * says which line of this file the lost blocks come from, what else only they hold, and ends with status 23.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of one line: a list, and the letters of each word. */
struct word {
    struct word *next;
    char *letters;
};

static struct word *word_new(const char *letters, size_t length, struct word *next)
{
    struct word *word = malloc(sizeof *word);
    if (word == NULL)
        abort();
    word->next = next;
    word->letters = strndup(letters, length);
    return word;
}

static struct word *line_split(const char *line)
{
    struct word *words = NULL;
    while (*line != '\0') {
        size_t length = 0;
        while (isalpha((unsigned char)line[length]))
            length++;
        if (length > 0)
            words = word_new(line, length, words);
        line += length > 0 ? length : 1;
    }
    return words;
}

/* Here it is: the list ends, and nobody frees it. */
static size_t line_count(const char *line)
{
    size_t count = 0;
    for (const struct word *word = line_split(line); word != NULL; word = word->next)
        count++;
    return count;
}

int main(void)
{
    static const char *const text[] = {
        "It was the best of times, it was the worst of times,",
        "it was the age of wisdom, it was the age of foolishness,",
        "it was the epoch of belief, it was the epoch of incredulity",
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        count += line_count(text[i]);
    printf("%zu words\n", count);
    return 0;
}
