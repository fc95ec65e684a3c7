/* count too high: a weak reference was made strong to look whether the object is there. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct window {
    int id;
};

int is_open(gca_weak weak);

int is_open(gca_weak weak)
{
    struct window *window = gca_upgrade(weak);
    if (window == NULL)
        return 0;
#ifndef BUG
    gca_release(window);
#endif
    return 1;
}

int main(void)
{
    struct window *window = gca_rc_new(struct window);
    if (window == NULL)
        return 1;
    gca_weak weak = gca_downgrade(window);
    printf("%d\n", is_open(weak));
    gca_release(window);
    return 0;
}
