/* leak/sink: where a report goes, in large pieces, without malloc or stdio. */
#ifndef LEAK_SINK_H
#define LEAK_SINK_H

#include <stddef.h>
#include <stdint.h>

enum { SINK_BYTES = 16384 };

struct sink {
    /* Takes all of it. Returns 0 or -errno, and nothing more comes. */
    int (*write)(void *context, const char *bytes, size_t size_bytes);
    void *context;
    int result; /* the first error */
    size_t used;
    char bytes[SINK_BYTES];
};

void sink_start(struct sink *sink, int (*write)(void *context, const char *bytes, size_t size_bytes), void *context);

void sink_bytes(struct sink *sink, const char *bytes, size_t count);
void sink_text(struct sink *sink, const char *text);
void sink_number(struct sink *sink, uint64_t number);

/* At least `digits` of them. */
void sink_hex(struct sink *sink, uint64_t number, unsigned digits);

/* "4.1 MiB" and "6,021", as people read them. */
void sink_size(struct sink *sink, uint64_t size_bytes);
void sink_count(struct sink *sink, uint64_t count);

/* A JSON string with its quotes. What is no UTF-8 becomes U+FFFD. */
void sink_json(struct sink *sink, const char *text);
void sink_json_part(struct sink *sink, const char *text); /* without the quotes */

/* Writes the rest. Returns 0 or the first error. */
int sink_finish(struct sink *sink);

#endif
