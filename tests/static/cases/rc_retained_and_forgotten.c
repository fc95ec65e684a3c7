/* count too high: one path returns without giving back the reference it took. */
#include <errno.h>
#include <gcalloc.h>
#include <stdio.h>

struct config {
    int port;
};

int serve(struct config *shared, int client);

int serve(struct config *shared, int client)
{
    gca_let_or(struct config *, config, gca_retain(shared)) return -EINVAL;
    if (client < 0) {
#ifndef BUG
        gca_release(config);
#endif
        return -EBADF;
    }
    printf("client %d on port %d\n", client, config->port);
    gca_release(config);
    return 0;
}

int main(void)
{
    struct config *config = gca_rc_new(struct config);
    if (config == NULL)
        return 1;
    config->port = 80;
    serve(config, 3);
    serve(config, -1);
    gca_release(config);
    return 0;
}
