/*
 * roster: a list that owns its entries. Every way in which it could leak, free twice or change what is being read is looked for by
 * `gcalloc-check roster.c`, and by the library when it runs with GCALLOC_OPTIONS=check=abort,leaks.
 */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct person {
    struct person *next;
    char *name;
    int age;
};

struct roster {
    struct person *first;
    int count;
};

/* What each function does to what it is given. */
void person_free(struct person *person) GCA_DROPS(person, 1);
struct person *person_new(const char *name, int age) GCA_OWNED(person_free);
void roster_add(struct roster *roster, struct person *person) GCA_CHANGES(roster) GCA_KEEPS(person, 2);
struct person *roster_take(struct roster *roster) GCA_CHANGES(roster) GCA_OWNED(person_free);
double roster_mean_age(const struct roster *roster) GCA_READS(roster);

void person_free(struct person *person)
{
    if (person == NULL)
        return;
    free(person->name);
    gca_drop(person);
}

struct person *person_new(const char *name, int age)
{
    gca_let_or(struct person *, person, gca_new(struct person)) return NULL;
    person->age = age;
    person->name = strdup(name);
    if (person->name == NULL) {
        person_free(person); /* without this line: a leak on this path */
        return NULL;
    }
    return gca_move(person); /* the caller's from here on */
}

void roster_add(struct roster *roster, struct person *person)
{
    gca_with_mut(changing, roster); /* until the end of the block */
    person->next = changing->first;
    changing->first = person;
    changing->count++;
}

struct person *roster_take(struct roster *roster)
{
    gca_with_mut(changing, roster);
    struct person *person = changing->first;
    if (person != NULL) {
        changing->first = person->next;
        changing->count--;
    }
    return person;
}

double roster_mean_age(const struct roster *roster)
{
    gca_with(reading, roster);
    double sum = 0;
    for (const struct person *person = reading->first; person != NULL; person = person->next)
        sum += person->age; /* roster_add(roster, ...) here: a change of what is borrowed */
    return reading->count > 0 ? sum / reading->count : 0;
}

int main(void)
{
    gca_scoped(struct roster *, roster, gca_new(struct roster)); /* dropped at the end */
    if (roster == NULL)
        return 1;
    static const char *const names[] = {"Ada", "Grace", "Edsger"};
    for (int i = 0; i < 3; i++) {
        gca_let_or(struct person *, person, person_new(names[i], 30 + i)) return 1;
        roster_add(roster, person); /* person_free(person) behind it: freed twice */
    }
    printf("mean age %g\n", roster_mean_age(roster));
    gca_with_scratch(scratch, NULL); /* text that is gone at the end of the block */
    while (roster->count > 0) {
        gca_let_or(struct person *, person, roster_take(roster)) break;
        const char *line = gca_arena_printf(scratch, "%s, %d", person->name, person->age);
        puts(line != NULL ? line : person->name);
        person_free(person);
    }
    return 0;
}
