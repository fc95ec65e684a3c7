/* returning borrowed: the borrow ends with the scope, the pointer to it is returned and used after the owner is gone. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct user {
    char name[24];
};

struct user *user_new(const char *name) GCA_OWNED(gca_drop);
const char *longest(const char *a, const char *b);

struct user *user_new(const char *name)
{
    struct user *user = gca_new(struct user);
    if (user != NULL)
        snprintf(user->name, sizeof user->name, "%s", name);
    return user;
}

const char *longest(const char *a, const char *b)
{
    gca_scoped(struct user *, left, user_new(a));
    gca_scoped(struct user *, right, user_new(b));
    if (left == NULL || right == NULL)
        return "";
    gca_with(l, left);
    gca_with(r, right);
#ifdef BUG
    return strlen(l->name) > strlen(r->name) ? l->name : r->name;
#else
    return strlen(l->name) > strlen(r->name) ? a : b;
#endif
}

int main(void)
{
    const char *name = longest("Barbara", "Edsger");
    return name[0] == '\0';
}
