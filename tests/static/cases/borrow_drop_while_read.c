/* borrow conflict: the configuration is dropped while somebody still reads it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct config {
    int port;
};

int main(void)
{
    struct config *config = gca_new(struct config);
    if (config == NULL)
        return 1;
    const struct config *view = gca_borrow(config);
    int port = view->port;
#ifdef BUG
    gca_drop(config);
    gca_end(view);
#else
    gca_end(view);
    gca_drop(config);
#endif
    return port;
}
