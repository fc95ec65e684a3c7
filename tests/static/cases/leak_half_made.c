/* leak: a constructor that fails half-way frees the outer object only. */
#include <gcalloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct person {
    char *name;
    char *mail;
};

static bool is_mail(const char *text)
{
    return strchr(text, '@') != NULL;
}

static struct person *person_new(const char *name, const char *mail)
{
    struct person *person = malloc(sizeof *person);
    if (person == NULL)
        return NULL;
    person->name = strdup(name);
    if (person->name == NULL || !is_mail(mail)) {
#ifndef BUG
        free(person->name);
#endif
        free(person);
        return NULL;
    }
    person->mail = strdup(mail);
    return person;
}

int main(void)
{
    struct person *person = person_new("Ada", "nowhere");
    if (person != NULL) {
        free(person->name);
        free(person->mail);
        free(person);
    }
    return 0;
}
