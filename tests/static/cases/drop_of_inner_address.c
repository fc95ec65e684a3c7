/* wrong address: what is dropped is a member, not the block it lies in. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct header {
    int kind;
};
struct message {
    int length;
    struct header header;
};

int main(void)
{
    struct message *message = malloc(sizeof *message);
    if (message == NULL)
        return 1;
    struct header *header = &message->header;
    header->kind = 2;
    printf("%d\n", header->kind);
#ifdef BUG
    free(header);
#else
    free(message);
#endif
    return 0;
}
