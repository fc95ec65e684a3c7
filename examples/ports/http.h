/*
 * http: as much of HTTP/1.1 (RFC 9112) as a small server needs. A request and its answer are in the arena of the request, and go
 * with it.
 */
#ifndef PORTS_HTTP_H
#define PORTS_HTTP_H

#include <gcalloc/arena.h>

#include <stdbool.h>

enum { HTTP_HEAD_BYTES_MAX = 8192 };

struct http_header {
    const char *name; /* in lower case */
    const char *value;
    struct http_header *next;
};

struct http_request {
    const char *method;
    const char *path; /* decoded, without the query */
    const char *query;
    struct http_header *headers;
    char *body;
    size_t body_length;
    bool keeps_alive;
};

struct http_answer {
    int status;
    const char *type;
    const char *body;
    size_t length;
};

/* What a connection has read and not used yet: requests may come faster than they are answered. */
struct http_connection {
    int socket;
    size_t buffered;
    char buffer[HTTP_HEAD_BYTES_MAX];
};

/*
 * The next request, in the arena. NULL when there is none: the connection ended, or what came is no request; then
 * *status_out is what to answer, or 0.
 */
struct http_request *http_read(gca_arena *arena, struct http_connection *connection, size_t body_bytes_max, int *status_out)
    GCA_READS(arena) GCA_FRESH;

/* The header's value, or NULL. */
const char *http_header(const struct http_request *request, const char *name) GCA_READS(request);

/* Writes all of it; returns whether the peer still reads. */
bool http_send(gca_arena *arena, int socket, const struct http_answer *answer, bool keeps_alive) GCA_READS(arena)
    GCA_READS(answer);

const char *http_reason(int status);

#endif
