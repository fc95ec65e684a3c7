/* borrow conflict: one object, by two parameters, is changed twice at once. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct account {
    int cents;
};

static void transfer(struct account *from, struct account *to, int cents)
{
    from->cents -= cents;
    to->cents += cents;
}

int main(void)
{
    struct account *one = gca_new(struct account), *two = gca_new(struct account);
    if (one != NULL && two != NULL) {
        gca_with_mut(from, one);
#ifdef BUG
        gca_with_mut(to, one);
#else
        gca_with_mut(to, two);
#endif
        transfer(from, to, 500);
    }
    gca_drop(one);
    gca_drop(two);
    return 0;
}
