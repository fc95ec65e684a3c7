/* json_read: a recursive descent over the text. All it makes is in the arena, and stays there when the text is wrong. */
#include "json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 512 };

struct reader {
    gca_arena *arena;
    const char *start;
    const char *at;
    const char *end;
    const char *reason; /* of the first error */
    int depth;
};

static struct json *read_value(struct reader *reader);

static void *fail(struct reader *reader, const char *reason)
{
    if (reader->reason == NULL)
        reader->reason = reason;
    return NULL;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4) != NULL)
        reader->at++;
}

/* Whether c comes next, behind blanks; then it is passed. */
static bool passes(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static struct json *make(struct reader *reader, enum json_type type)
{
    struct json *value = gca_arena_make(reader->arena, struct json);
    if (value == NULL)
        return fail(reader, "out of memory");
    value->type = type;
    return value;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits; or -1. */
static int32_t read_hex(struct reader *reader)
{
    int32_t value = 0;
    if (reader->end - reader->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*reader->at++);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Writes the character as UTF-8 and returns what is behind it: at most four bytes. */
static char *put_character(char *to, uint32_t character)
{
    if (character < 0x80) {
        *to++ = (char)character;
    } else if (character < 0x800) {
        *to++ = (char)(0xc0 | character >> 6);
        *to++ = (char)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *to++ = (char)(0xe0 | character >> 12);
        *to++ = (char)(0x80 | (character >> 6 & 0x3f));
        *to++ = (char)(0x80 | (character & 0x3f));
    } else {
        *to++ = (char)(0xf0 | character >> 18);
        *to++ = (char)(0x80 | (character >> 12 & 0x3f));
        *to++ = (char)(0x80 | (character >> 6 & 0x3f));
        *to++ = (char)(0x80 | (character & 0x3f));
    }
    return to;
}

/* Behind \u: one character, of two escapes if it is beyond 16 bits. NULL when it is none. */
static char *read_unicode(struct reader *reader, char *to)
{
    int32_t high = read_hex(reader);
    if (high < 0 || (high >= 0xdc00 && high < 0xe000))
        return fail(reader, "wrong \\u escape");
    if (high < 0xd800 || high >= 0xe000)
        return put_character(to, (uint32_t)high);
    if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
        return fail(reader, "half of a surrogate pair");
    reader->at += 2;
    int32_t low = read_hex(reader);
    if (low < 0xdc00 || low >= 0xe000)
        return fail(reader, "half of a surrogate pair");
    return put_character(to, 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
}

/* Behind the backslash. No escape is shorter than what it stands for, so the text's length is room enough. */
static char *read_escape(struct reader *reader, char *to)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return fail(reader, "text ends in a string");
    char c = *reader->at++;
    if (c == 'u')
        return read_unicode(reader, to);
    const char *name = c == '\0' ? NULL : strchr(names, c);
    if (name == NULL)
        return fail(reader, "unknown escape");
    *to++ = meant[name - names];
    return to;
}

/* Behind the opening quote. */
static const char *read_string(struct reader *reader, size_t *length_out)
{
    const char *close = reader->at;
    while (close < reader->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= reader->end)
        return fail(reader, "text ends in a string");
    char *string = gca_arena_alloc_aligned(reader->arena, (size_t)(close - reader->at) + 1, 1);
    if (string == NULL)
        return fail(reader, "out of memory");
    char *to = string;
    while (reader->at < close) {
        char c = *reader->at++;
        if (c == '\\') {
            to = read_escape(reader, to);
            if (to == NULL)
                return NULL;
        } else if ((unsigned char)c < 0x20) {
            return fail(reader, "control character in a string");
        } else {
            *to++ = c;
        }
    }
    *to = '\0';
    reader->at = close + 1;
    *length_out = (size_t)(to - string);
    return string;
}

static struct json *read_text(struct reader *reader)
{
    struct json *value = make(reader, JSON_STRING);
    if (value == NULL)
        return NULL;
    value->string = read_string(reader, &value->length);
    return value->string == NULL ? NULL : value;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of the number that begins here; NULL when it is none. strtod() takes more than JSON does. */
static const char *number_end(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    const char *digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at > digits + 1))
        return NULL;
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(at, end);
        if (at == digits)
            return NULL;
    }
    return at;
}

static struct json *read_number(struct reader *reader)
{
    char copy[64];
    const char *end = number_end(reader->at, reader->end);
    if (end == NULL)
        return fail(reader, "not a value");
    size_t length = (size_t)(end - reader->at);
    if (length >= sizeof copy)
        return fail(reader, "number too long");
    memcpy(copy, reader->at, length);
    copy[length] = '\0';
    struct json *value = make(reader, JSON_NUMBER);
    if (value == NULL)
        return NULL;
    value->number = strtod(copy, NULL);
    if (isinf(value->number))
        return fail(reader, "number too large");
    reader->at = end;
    return value;
}

static struct json *read_word(struct reader *reader, const char *word, enum json_type type, bool boolean)
{
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return fail(reader, "not a value");
    reader->at += length;
    struct json *value = make(reader, type);
    if (value != NULL)
        value->boolean = boolean;
    return value;
}

/* A member's name and the colon; returns whether they are there. */
static bool read_name(struct reader *reader, const char **name_out)
{
    size_t length;
    if (!passes(reader, '"')) {
        fail(reader, "a name was expected");
        return false;
    }
    *name_out = read_string(reader, &length);
    if (*name_out == NULL)
        return false;
    if (!passes(reader, ':')) {
        fail(reader, "a colon was expected");
        return false;
    }
    return true;
}

/* Behind the opening bracket: items up to the closing one. */
static struct json *read_items(struct reader *reader, enum json_type type)
{
    char close = type == JSON_OBJECT ? '}' : ']';
    struct json *list = make(reader, type);
    if (list == NULL)
        return NULL;
    if (passes(reader, close))
        return list;
    struct json **last = &list->first;
    do {
        const char *name = NULL;
        if (type == JSON_OBJECT && !read_name(reader, &name))
            return NULL;
        struct json *item = read_value(reader);
        if (item == NULL)
            return NULL;
        item->name = name;
        *last = item;
        last = &item->next;
        list->length++;
    } while (passes(reader, ','));
    if (!passes(reader, close))
        return fail(reader, "a comma or a closing bracket was expected");
    return list;
}

static struct json *read_nested(struct reader *reader, enum json_type type)
{
    if (++reader->depth > DEPTH_MAX)
        return fail(reader, "nested too deeply");
    struct json *list = read_items(reader, type);
    reader->depth--;
    return list;
}

static struct json *read_value(struct reader *reader)
{
    skip_blanks(reader);
    if (reader->at == reader->end)
        return fail(reader, "text ends where a value was expected");
    switch (*reader->at) {
    case '{':
        reader->at++;
        return read_nested(reader, JSON_OBJECT);
    case '[':
        reader->at++;
        return read_nested(reader, JSON_ARRAY);
    case '"':
        reader->at++;
        return read_text(reader);
    case 't':
        return read_word(reader, "true", JSON_BOOL, true);
    case 'f':
        return read_word(reader, "false", JSON_BOOL, false);
    case 'n':
        return read_word(reader, "null", JSON_NULL, false);
    default:
        return read_number(reader);
    }
}

static void say_where(const struct reader *reader, struct json_error *error_out)
{
    error_out->reason = reader->reason;
    error_out->line = 1;
    error_out->column = 1;
    for (const char *at = reader->start; at < reader->at && at < reader->end; at++) {
        error_out->column++;
        if (*at == '\n') {
            error_out->line++;
            error_out->column = 1;
        }
    }
}

struct json *json_read(gca_arena *arena, const char *text, size_t length, struct json_error *error_out)
{
    struct reader reader = {arena, text, text, text + length, NULL, 0};
    struct json *value = read_value(&reader);
    if (value != NULL) {
        skip_blanks(&reader);
        if (reader.at < reader.end)
            value = fail(&reader, "more behind the value");
    }
    if (value == NULL)
        say_where(&reader, error_out);
    return value;
}

const struct json *json_member(const struct json *object, const char *name)
{
    if (object == NULL || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

double json_number(const struct json *object, const char *name, double otherwise)
{
    const struct json *member = json_member(object, name);
    return member != NULL && member->type == JSON_NUMBER ? member->number : otherwise;
}

const char *json_string(const struct json *object, const char *name, const char *otherwise)
{
    const struct json *member = json_member(object, name);
    return member != NULL && member->type == JSON_STRING ? member->string : otherwise;
}
