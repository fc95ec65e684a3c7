/*
 * bench/micro/strings: a text cut into words on a linked list, each word duplicated, joined with others, replaced: the
 * many odd sizes of text processing.
 */
#include "bench/micro/pattern.h"

#include <string.h>

enum { WORDS = 20000, JOINED = 6 };

struct word {
    struct word *next;
    char *text;
};

static char *text_new(size_t length, char fill)
{
    char *text = malloc(length + 1);

    if (text == NULL)
        pattern_die("malloc");
    memset(text, fill, length);
    text[length] = '\0';
    return text;
}

static struct word *cut(struct random *random)
{
    struct word *list = NULL;

    for (size_t i = 0; i < WORDS; i++) {
        struct word *word = malloc(sizeof *word);

        if (word == NULL)
            pattern_die("malloc");
        word->text = text_new(1 + random_below(random, 14), (char)('a' + i % 26));
        word->next = list;
        list = word;
    }
    return list;
}

/* Every word gets those after it appended, by realloc, as naive string building does. */
static void join(struct word *list)
{
    for (struct word *word = list; word != NULL; word = word->next) {
        struct word *other = word->next;

        for (size_t i = 0; i < JOINED && other != NULL; i++, other = other->next) {
            size_t length = strlen(word->text), more = strlen(other->text);
            char *text = realloc(word->text, length + more + 1);

            if (text == NULL)
                pattern_die("realloc");
            memcpy(text + length, other->text, more + 1);
            word->text = text;
        }
    }
}

static void replace_every_third(struct word *list)
{
    size_t at = 0;

    for (struct word *word = list; word != NULL; word = word->next) {
        char *text;

        if (at++ % 3 != 0)
            continue;
        text = text_new(strlen(word->text) / 2, '-');
        free(word->text);
        word->text = text;
    }
}

static uint64_t list_free(struct word *list)
{
    uint64_t sum = 0;

    while (list != NULL) {
        struct word *next = list->next;

        sum += strlen(list->text);
        free(list->text);
        free(list);
        list = next;
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct random random = {25};
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(120);
    for (size_t round = 0; round < rounds; round++) {
        struct word *list = cut(&random);

        join(list);
        replace_every_third(list);
        sum += list_free(list);
    }
    return pattern_end(sum);
}
