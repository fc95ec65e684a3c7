/* arena: a request's data is logged after its arena was reset for the next one. */
#include <gcalloc.h>
#include <stdio.h>

struct request {
    int status;
    char path[40];
};

void request_log(const struct request *request) GCA_READS(request);
int serve(gca_arena *arena, int n);

void request_log(const struct request *request)
{
    printf("%s %d\n", request->path, request->status);
}

int serve(gca_arena *arena, int n)
{
    struct request *request = gca_arena_make(arena, struct request);
    if (request == NULL)
        return -1;
    request->status = 200 + n;
    snprintf(request->path, sizeof request->path, "/page/%d", n);
#ifdef BUG
    gca_arena_reset(arena);
    request_log(request);
#else
    request_log(request);
    gca_arena_reset(arena);
#endif
    return 0;
}

int main(void)
{
    gca_with_arena(arena);
    if (arena == NULL)
        return 1;
    return serve(arena, 1) + serve(arena, 2);
}
