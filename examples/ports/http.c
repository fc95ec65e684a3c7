/* http: reading requests and writing answers. */
#include "http.h"

#include <gcalloc/text.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More from the peer, behind what is there. Returns false at its end, and on errors. */
static bool receive(struct http_connection *connection)
{
    ssize_t count;
    do {
        count = recv(connection->socket, connection->buffer + connection->buffered,
                     sizeof connection->buffer - connection->buffered, 0);
    } while (count < 0 && errno == EINTR);
    if (count <= 0)
        return false;
    connection->buffered += (size_t)count;
    return true;
}

/* Takes bytes off the buffer's front. */
static void consume(struct http_connection *connection, size_t count)
{
    connection->buffered -= count;
    memmove(connection->buffer, connection->buffer + count, connection->buffered);
}

/* The head, up to and without the empty line, as a text of the arena. */
static char *read_head(gca_arena *arena, struct http_connection *connection, int *status_out)
{
    for (;;) {
        char *end = memmem(connection->buffer, connection->buffered, "\r\n\r\n", 4);
        if (end != NULL) {
            size_t length = (size_t)(end - connection->buffer) + 2;
            char *head = gca_arena_strndup(arena, connection->buffer, length);
            consume(connection, length + 2);
            if (head == NULL)
                *status_out = 503;
            return head;
        }
        if (connection->buffered == sizeof connection->buffer) {
            *status_out = 431;
            return NULL;
        }
        if (!receive(connection)) {
            *status_out = 0;
            return NULL;
        }
    }
}

/* Ends the line at *at, and moves on to the next one; NULL behind the last. */
static char *take_line(char **at)
{
    char *line = *at;
    char *end = strstr(line, "\r\n");
    if (end == NULL)
        return NULL;
    *end = '\0';
    *at = end + 2;
    return line;
}

/* Replaces %xx in place; returns false if one is wrong or is a zero byte. */
static bool decode(char *text)
{
    char *to = text;
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '%') {
            char digits[3] = {0};
            if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
                return false;
            memcpy(digits, at + 1, 2);
            *to = (char)strtol(digits, NULL, 16);
            if (*to++ == '\0')
                return false;
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return true;
}

static bool parse_request_line(struct http_request *request, char *line)
{
    char *method_end = strchr(line, ' ');
    if (method_end == NULL || method_end == line)
        return false;
    char *path = method_end + 1;
    char *path_end = strchr(path, ' ');
    if (path_end == NULL || *path != '/')
        return false;
    const char *version = path_end + 1;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return false;
    *method_end = '\0';
    *path_end = '\0';
    char *query = strchr(path, '?');
    if (query != NULL)
        *query++ = '\0';
    request->method = line;
    request->path = path;
    request->query = query != NULL ? query : "";
    request->keeps_alive = strcmp(version, "HTTP/1.1") == 0;
    return decode(path);
}

static struct http_header *parse_header(gca_arena *arena, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || colon == line)
        return NULL;
    struct http_header *header = gca_arena_make(arena, struct http_header);
    if (header == NULL)
        return NULL;
    *colon = '\0';
    for (char *c = line; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    header->name = line;
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        value[--length] = '\0';
    header->value = value;
    return header;
}

static bool parse_head(gca_arena *arena, struct http_request *request, char *head)
{
    char *line = take_line(&head);
    if (line == NULL || !parse_request_line(request, line))
        return false;
    while ((line = take_line(&head)) != NULL) {
        struct http_header *header = parse_header(arena, line);
        if (header == NULL)
            return false;
        header->next = request->headers;
        request->headers = header;
    }
    const char *connection = http_header(request, "connection");
    if (connection != NULL)
        request->keeps_alive = strcasecmp(connection, "close") != 0;
    return true;
}

/* Returns 0, or the status that says what is wrong. */
static int read_body(gca_arena *arena, struct http_connection *connection, struct http_request *request, size_t bytes_max)
{
    const char *length = http_header(request, "content-length");
    if (http_header(request, "transfer-encoding") != NULL)
        return 501;
    if (length == NULL)
        return 0;
    char *end;
    errno = 0;
    unsigned long long bytes = strtoull(length, &end, 10);
    if (!isdigit((unsigned char)*length) || *end != '\0' || errno != 0)
        return 400;
    if (bytes > bytes_max)
        return 413;
    request->body = gca_arena_alloc_aligned(arena, (size_t)bytes + 1, 1);
    if (request->body == NULL)
        return 503;
    while (request->body_length < bytes) {
        if (connection->buffered == 0 && !receive(connection))
            return 400;
        size_t part = (size_t)bytes - request->body_length;
        if (part > connection->buffered)
            part = connection->buffered;
        memcpy(request->body + request->body_length, connection->buffer, part);
        consume(connection, part);
        request->body_length += part;
    }
    request->body[bytes] = '\0';
    return 0;
}

struct http_request *http_read(gca_arena *arena, struct http_connection *connection, size_t body_bytes_max, int *status_out)
{
    char *head = read_head(arena, connection, status_out);
    if (head == NULL)
        return NULL;
    struct http_request *request = gca_arena_make(arena, struct http_request);
    if (request == NULL) {
        *status_out = 503;
        return NULL;
    }
    if (!parse_head(arena, request, head)) {
        *status_out = 400;
        return NULL;
    }
    *status_out = read_body(arena, connection, request, body_bytes_max);
    return *status_out == 0 ? request : NULL;
}

const char *http_header(const struct http_request *request, const char *name)
{
    for (const struct http_header *header = request->headers; header != NULL; header = header->next)
        if (strcmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

const char *http_reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
    }
}

static bool send_bytes(int socket, const char *bytes, size_t count, int flags)
{
    while (count > 0) {
        ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL | flags);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

bool http_send(gca_arena *arena, int socket, const struct http_answer *answer, bool keeps_alive)
{
    const char *head = gca_arena_printf(arena, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                                        answer->status, http_reason(answer->status), answer->type, answer->length,
                                        keeps_alive ? "keep-alive" : "close");
    return head != NULL && send_bytes(socket, head, strlen(head), MSG_MORE) &&
           send_bytes(socket, answer->body, answer->length, 0);
}
