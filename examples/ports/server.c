/*
 * server: a small HTTP server. `server CONFIG.json [THREADS]` says on which port of the loopback address it listens, and
 * serves until SIGTERM.
 *
 *     GET /            the configuration's greeting          POST /json     the body, which is JSON, indented
 *     GET /files/NAME  a file of the configuration's root    POST /reload   reads the configuration again
 *     GET /status      what it has done, as JSON
 *
 * Each thread has an arena, which all that belongs to one request is in, and which is reset for the next.
 */
#include "config.h"
#include "http.h"
#include "json.h"

#include <gcalloc/text.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS_MAX = 64, IDLE_S = 10 };

struct server {
    int socket;
    const char *config_path;
    struct config_place config;
    atomic_bool is_ending;
    atomic_ulong requests;
    atomic_ulong errors;
};

static struct http_answer answer_text(int status, const char *text)
{
    return (struct http_answer){status, "text/plain; charset=utf-8", text, strlen(text)};
}

static struct http_answer answer_no_memory(void)
{
    return answer_text(503, "out of memory\n");
}

/* The configuration may go while this is sent: so it is copied. */
static struct http_answer get_greeting(gca_arena *arena, const struct config *config)
{
    const char *text = gca_arena_printf(arena, "%s (configuration %d)\n", config->greeting, config->version);
    return text != NULL ? answer_text(200, text) : answer_no_memory();
}

static struct http_answer get_file(gca_arena *arena, const struct config *config, const char *name)
{
    if (config->root[0] == '\0' || name[0] == '\0' || strchr(name, '/') != NULL || name[0] == '.')
        return answer_text(404, "no such file\n");
    const char *path = gca_arena_concat(arena, config->root, "/", name, NULL);
    if (path == NULL)
        return answer_no_memory();
    struct http_answer answer = {200, "application/octet-stream", NULL, 0};
    answer.body = gca_arena_read_file(arena, path, &answer.length);
    if (answer.body == NULL)
        return errno == ENOMEM ? answer_no_memory() : answer_text(404, "no such file\n");
    return answer;
}

static struct http_answer get_status(gca_arena *arena, struct server *server, const struct config *config)
{
    gca_arena_stats stats;
    gca_arena_get_stats(arena, &stats);
    const char *text =
        gca_arena_printf(arena, "{\"requests\":%lu,\"errors\":%lu,\"configuration\":%d,\"arena_bytes\":%zu}\n",
                         atomic_load(&server->requests), atomic_load(&server->errors), config->version, stats.capacity_bytes);
    if (text == NULL)
        return answer_no_memory();
    return (struct http_answer){200, "application/json", text, strlen(text)};
}

static struct http_answer post_json(gca_arena *arena, const struct http_request *request)
{
    struct json_error error;
    const char *body = request->body != NULL ? request->body : "";
    const struct json *document = json_read(arena, body, request->body_length, &error);
    const char *text = document != NULL
                           ? json_write(arena, document, true)
                           : gca_arena_printf(arena, "%zu:%zu: %s\n", error.line, error.column, error.reason);
    if (text == NULL)
        return answer_no_memory();
    if (document == NULL)
        return answer_text(400, text);
    return (struct http_answer){200, "application/json", text, strlen(text)};
}

static struct http_answer post_reload(gca_arena *arena, struct server *server)
{
    const char *wrong = config_load(&server->config, arena, server->config_path);
    return wrong == NULL ? answer_text(200, "done\n") : answer_text(500, wrong);
}

static struct http_answer answer_to(gca_arena *arena, struct server *server, const struct http_request *request)
{
    gca_scoped(struct config *, config, config_get(&server->config));
    bool is_get = strcmp(request->method, "GET") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    if (config == NULL)
        return answer_text(503, "no configuration\n");
    if (!is_get && !is_post)
        return answer_text(405, "GET or POST\n");
    if (is_get && strcmp(request->path, "/") == 0)
        return get_greeting(arena, config);
    if (is_get && strncmp(request->path, "/files/", 7) == 0)
        return get_file(arena, config, request->path + 7);
    if (is_get && strcmp(request->path, "/status") == 0)
        return get_status(arena, server, config);
    if (is_post && strcmp(request->path, "/json") == 0)
        return post_json(arena, request);
    if (is_post && strcmp(request->path, "/reload") == 0)
        return post_reload(arena, server);
    return answer_text(404, "no such page\n");
}

static size_t body_bytes_max(struct server *server)
{
    gca_scoped(struct config *, config, config_get(&server->config));
    return config != NULL ? config->body_bytes_max : 0;
}

/* One request; returns whether another may follow on the connection. */
static bool serve_request(struct server *server, gca_arena *arena, struct http_connection *connection)
{
    int status;
    struct http_request *request = http_read(arena, connection, body_bytes_max(server), &status);
    if (request == NULL && status == 0)
        return false;
    struct http_answer answer =
        request != NULL ? answer_to(arena, server, request) : answer_text(status, http_reason(status));
    bool keeps_alive = request != NULL && request->keeps_alive && !atomic_load(&server->is_ending);
    atomic_fetch_add(&server->requests, 1);
    if (answer.status != 200)
        atomic_fetch_add(&server->errors, 1);
    return http_send(arena, connection->socket, &answer, keeps_alive) && keeps_alive;
}

static void serve_connection(struct server *server, gca_arena *arena, int socket)
{
    const struct timeval idle = {IDLE_S, 0};
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    gca_scoped(struct http_connection *, connection, gca_new(struct http_connection));
    if (connection != NULL) {
        connection->socket = socket;
        while (serve_request(server, arena, connection))
            gca_arena_reset(arena);
        gca_arena_reset(arena);
    }
    close(socket);
}

static void *work(void *argument)
{
    struct server *server = argument;
    gca_with_arena(arena);
    while (arena != NULL && !atomic_load(&server->is_ending)) {
        int socket = accept4(server->socket, NULL, NULL, SOCK_CLOEXEC);
        if (socket >= 0)
            serve_connection(server, arena, socket);
        else if (errno != EINTR && errno != ECONNABORTED && errno != EMFILE)
            break;
    }
    return NULL;
}

/* A listening socket on a free port of the loopback address, which is printed; or -1. */
static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0)
        return -1;
    if (bind(socket_, (struct sockaddr *)&address, length) != 0 || listen(socket_, 128) != 0 ||
        getsockname(socket_, (struct sockaddr *)&address, &length) != 0) {
        close(socket_);
        return -1;
    }
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return socket_;
}

/* Serves until one of the signals comes. */
static void run(struct server *server, int threads, const sigset_t *signals)
{
    pthread_t workers[THREADS_MAX];
    int started = 0;
    int signal_;
    while (started < threads && pthread_create(&workers[started], NULL, work, server) == 0)
        started++;
    if (started > 0)
        sigwait(signals, &signal_);
    atomic_store(&server->is_ending, true);
    shutdown(server->socket, SHUT_RDWR);
    while (started > 0)
        pthread_join(workers[--started], NULL);
}

static bool load_first(struct server *server)
{
    gca_with_arena(arena);
    const char *wrong = arena != NULL ? config_load(&server->config, arena, server->config_path) : strerror(ENOMEM);
    if (wrong != NULL)
        fprintf(stderr, "server: %s\n", wrong);
    return wrong == NULL;
}

int main(int argc, char **argv)
{
    struct server server = {.config = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    int threads = argc > 2 ? atoi(argv[2]) : 4;
    sigset_t signals;
    if (argc < 2 || threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "usage: server CONFIG.json [THREADS]\n");
        return 2;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    server.config_path = argv[1];
    if (!load_first(&server))
        return 1;
    server.socket = listen_somewhere();
    if (server.socket < 0) {
        perror("server");
        config_forget(&server.config);
        return 1;
    }
    run(&server, threads, &signals);
    close(server.socket);
    config_forget(&server.config);
    return 0;
}
