/* use after move: the variable that was moved from is NULL now. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct packet {
    int length;
};
struct socket_ {
    struct packet *last;
};

static int transmit(struct socket_ *to, int length)
{
    struct packet *packet = gca_new(struct packet);
    if (packet == NULL)
        return -1;
    packet->length = length;
    gca_drop(to->last);
    to->last = gca_move(packet);
#ifdef BUG
    return packet->length;
#else
    return to->last->length;
#endif
}

int main(void)
{
    struct socket_ to = {NULL};
    printf("%d\n", transmit(&to, 12));
    gca_drop(to.last);
    return 0;
}
