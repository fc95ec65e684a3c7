/* double drop: a struct is copied with the pointer in it, and both copies are ended. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
    char *text;
};

static void message_clear(struct message *message)
{
    free(message->text);
    message->text = NULL;
}

int main(void)
{
    struct message message = {strdup("hello")};
    struct message copy = message;
#ifndef BUG
    message.text = NULL;
#endif
    if (copy.text != NULL)
        printf("%s\n", copy.text);
    message_clear(&message);
    message_clear(&copy);
    return 0;
}
