/* leak: a setter overwrites the member that holds an object. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct user {
    char *name;
};

static int user_rename(struct user *user, const char *name)
{
    char *copy = strdup(name);
    if (copy == NULL)
        return -1;
#ifndef BUG
    free(user->name);
#endif
    user->name = copy;
    return 0;
}

int main(void)
{
    struct user *user = calloc(1, sizeof *user);
    if (user == NULL)
        return 1;
    if (user_rename(user, "first") != 0 || user_rename(user, "second") != 0)
        printf("short of memory\n");
    else
        printf("%s\n", user->name);
    free(user->name);
    free(user);
    return 0;
}
