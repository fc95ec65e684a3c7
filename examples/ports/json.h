/*
 * json: JSON texts (RFC 8259) read into an arena, and written from it. A document has no destructor: it goes with its
 * arena. Nothing is freed piece by piece, so nothing can be forgotten, whatever is wrong with the text.
 */
#ifndef PORTS_JSON_H
#define PORTS_JSON_H

#include <gcalloc/arena.h>

#include <stdbool.h>
#include <stdio.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Items of an array and members of an object are a list, in the order of the text. */
struct json {
    enum json_type type;
    bool boolean;
    double number;
    const char *string; /* UTF-8; may contain zero bytes: length counts */
    size_t length;      /* of the string, in bytes; of an array or object, in items */
    struct json *first;
    struct json *next;
    const char *name; /* of a member */
};

/* Where and why reading stopped. */
struct json_error {
    const char *reason;
    size_t line;
    size_t column;
};

/* The document, in the arena; or NULL, and *error_out says why: also when memory is short. */
struct json *json_read(gca_arena *arena, const char *text, size_t length, struct json_error *error_out) GCA_READS(arena)
    GCA_FRESH;

/* The member with this name, or NULL; also for what is no object. It lives as long as the object. */
const struct json *json_member(const struct json *object, const char *name) GCA_READS(object);

/* What the member is, if it is of that type, else the default. */
double json_number(const struct json *object, const char *name, double otherwise) GCA_READS(object);
const char *json_string(const struct json *object, const char *name, const char *otherwise) GCA_READS(object);

/* The document as text in the arena, in one line or indented; NULL when memory is short. */
char *json_write(gca_arena *arena, const struct json *value, bool is_indented) GCA_READS(arena) GCA_READS(value)
    GCA_FRESH;

#endif
