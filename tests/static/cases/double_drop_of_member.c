/* double drop: a header is freed on its own, and then by the request that owns it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    char *path;
    char *header;
};

static void request_free(struct request *request)
{
    free(request->path);
    free(request->header);
    free(request);
}

int main(void)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return 1;
    request->path = strdup("/");
    request->header = strdup("Host: here");
    if (request->header != NULL && strncmp(request->header, "Host", 4) == 0) {
        puts(request->header);
        free(request->header);
#ifndef BUG
        request->header = NULL;
#endif
    }
    request_free(request);
    return 0;
}
