/* use after drop: the name belongs to the person who has gone. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct person {
    char *name;
    int age;
};

static void person_free(struct person *person)
{
    free(person->name);
    free(person);
}

int main(void)
{
    struct person *person = malloc(sizeof *person);
    if (person == NULL)
        return 1;
    person->age = 30;
    person->name = strdup("Grace");
    if (person->name == NULL) {
        free(person);
        return 1;
    }
    char *name = person->name;
#ifdef BUG
    person_free(person);
    puts(name);
#else
    puts(name);
    person_free(person);
#endif
    return 0;
}
