/*
 * json: reads JSON texts and writes them again, indented; --check only says what is wrong, --repeat=N does all N times. One
 * arena serves all files: it is reset between them and keeps its memory.
 */
#include "json.h"

#include <gcalloc/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct job {
    bool is_indented;
    bool only_checks;
    long repeats;
};

static int handle(gca_arena *arena, const struct job *job, const char *path)
{
    size_t length;
    struct json_error error;
    char *text = gca_arena_read_file(arena, path, &length);
    if (text == NULL) {
        fprintf(stderr, "json: %s: %s\n", path, strerror(errno));
        return 1;
    }
    struct json *document = json_read(arena, text, length, &error);
    if (document == NULL) {
        fprintf(stderr, "json: %s:%zu:%zu: %s\n", path, error.line, error.column, error.reason);
        return 1;
    }
    char *written = json_write(arena, document, job->is_indented);
    if (written == NULL) {
        fprintf(stderr, "json: %s: %s\n", path, strerror(ENOMEM));
        return 1;
    }
    if (!job->only_checks)
        puts(written);
    return 0;
}

int main(int argc, char **argv)
{
    struct job job = {true, false, 1};
    int status = 0;
    gca_with_arena(arena);
    if (arena == NULL) {
        perror("json");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            job.only_checks = true;
        } else if (strcmp(argv[i], "--line") == 0) {
            job.is_indented = false;
        } else if (strncmp(argv[i], "--repeat=", 9) == 0) {
            job.repeats = atol(argv[i] + 9);
        } else {
            for (long n = 0; n < job.repeats; n++) {
                status |= handle(arena, &job, argv[i]);
                gca_arena_reset(arena);
            }
        }
    }
    return status;
}
