/* double drop: one session is given to two tables, both of which free what they have. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct session {
    int id;
};
struct table {
    struct session *slots[4];
};

void table_put(struct table *table, int slot, struct session *session) GCA_CHANGES(table)
    GCA_KEEPS(session, 3);
void table_clear(struct table *table) GCA_CHANGES(table);
void login(struct table *by_id, struct table *by_name, int id);

void table_put(struct table *table, int slot, struct session *session)
{
    gca_drop(table->slots[slot]);
    table->slots[slot] = session;
}

void table_clear(struct table *table)
{
    for (int i = 0; i < 4; i++)
        gca_drop(table->slots[i]);
}

void login(struct table *by_id, struct table *by_name, int id)
{
    struct session *session = gca_new(struct session);
    if (session == NULL)
        return;
    session->id = id;
    table_put(by_id, id & 3, session);
#ifdef BUG
    table_put(by_name, id * 7 & 3, session);
#else
    table_put(by_name, id * 7 & 3, gca_clone(by_id->slots[id & 3]));
#endif
}

int main(void)
{
    struct table by_id = {{NULL}}, by_name = {{NULL}};
    login(&by_id, &by_name, 5);
    table_clear(&by_id);
    table_clear(&by_name);
    return 0;
}
