/*
 * dangling_into_arena: a server makes each request in an arena, and remembers the last user's name from it.
 *
 * When the arena ends, everything outside that still points into it is named, by object and offset; without check=report an audit finds it
 * later. It says:
 *
 *     gcalloc: error: gca_arena_free: 1 pointer into arena "request" will dangle
 *       0x7f31c0 (24 bytes, struct session) at offset 8, to 0x7f4000
 *       called now  dangling_into_arena+0x11d8
 *       see gcalloc(7), "dangling pointer"
 *     gcalloc: audit: 1 finding
 *       0x7f31c0 (24 bytes, struct session) at offset 8 points to 0x7f4000, in an arena that is gone
 */
#include <gcalloc.h>
#include <stdio.h>
#include <string.h>

struct session {
    long requests;
    const char *last_user;
    long bytes;
};

GCA_TYPE(struct session);

static struct session *session;

static __attribute__((noinline)) void serve(const char *user)
{
    static const gca_arena_options options = {.name = "request"};
    gca_arena *arena = gca_arena_new(&options);
    if (arena == NULL)
        return;
    session->requests++;
    session->last_user = gca_arena_strdup(arena, user); /* the mistake: strdup() */
    gca_arena_free(arena);
}

/* What calls leave behind below would count as pointers, were it still there. */
static __attribute__((noinline)) void overwrite_stack(void)
{
    volatile char bytes[8192];
    memset((char *)bytes, 0, sizeof bytes);
}

int main(void)
{
    session = gca_new(struct session);
    if (session == NULL)
        return 1;
    serve("ada");
    overwrite_stack();
    gca_audit_report();
    gca_drop(session);
    return 0;
}
