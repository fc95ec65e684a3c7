/* use of what is gone: the result of an upgrade is used without a look whether it is NULL. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct window {
    int id;
};

static int window_id(gca_weak weak)
{
    struct window *window = gca_upgrade(weak);
#ifndef BUG
    if (window == NULL)
        return -1;
#endif
    int id = window->id;
    gca_release(window);
    return id;
}

int main(void)
{
    struct window *window = gca_rc_new(struct window);
    if (window == NULL)
        return 1;
    gca_weak weak = gca_downgrade(window);
    gca_release(window);
    printf("%d\n", window_id(weak));
    return 0;
}
