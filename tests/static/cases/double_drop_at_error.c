/* double drop: the error path frees, and so does the end that it falls through to. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct message {
    int length;
    char text[60];
};

static int send_all(int length)
{
    int status = 0;
    struct message *message = gca_new(struct message);
    if (message == NULL)
        return -1;
    message->length = length;
    if (message->length > 60) {
        status = -2;
#ifdef BUG
        gca_drop(message);
#endif
    } else {
        printf("%d\n", message->length);
    }
    gca_drop(message);
    return status;
}

int main(void)
{
    return send_all(100) != -2;
}
