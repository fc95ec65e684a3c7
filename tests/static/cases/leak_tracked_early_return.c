/* leak: a tracked variable is forgotten by a check that was added later. */
#include <errno.h>
#include <gcalloc.h>
#include <stdio.h>

struct session {
    int id;
    int rights;
};

int session_check(const struct session *session) GCA_READS(session);
int session_run(int id);

int session_check(const struct session *session)
{
    return session->rights & 4 ? 0 : -EPERM;
}

int session_run(int id)
{
    gca_let_or(struct session *, session, gca_new(struct session)) return -ENOMEM;
    session->id = id;
    session->rights = id & 3;
    int error = session_check(session);
#ifdef BUG
    if (error != 0)
        return error;
#endif
    printf("session %d: %d\n", session->id, error);
    gca_drop(session);
    return 0;
}

int main(void)
{
    session_run(7);
    return 0;
}
