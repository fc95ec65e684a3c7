/* leak: a buffer is moved out of its owner, to be sent or dropped; one path does neither. */
#include <errno.h>
#include <gcalloc.h>
#include <stdio.h>

struct buffer {
    size_t length;
    char bytes[56];
};
struct connection {
    struct buffer *pending;
    int is_open;
};

int connection_flush(struct connection *connection);

int connection_flush(struct connection *connection)
{
    gca_let_or(struct buffer *, buffer, gca_move(connection->pending)) return 0;
    if (!connection->is_open) {
#ifdef BUG
        return -EPIPE;
#else
        gca_drop(buffer);
        return -EPIPE;
#endif
    }
    fwrite(buffer->bytes, 1, buffer->length, stdout);
    gca_drop(buffer);
    return 0;
}

int main(void)
{
    struct connection connection = {gca_new(struct buffer), 0};
    connection_flush(&connection);
    gca_drop(connection.pending);
    return 0;
}
