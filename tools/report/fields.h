/*
 * tools/report/fields: values taken out of a JSON object, each checked. The first fault is said once, with the place of
 * the value; whatever is taken after it fails in silence.
 *
 * A missing key leaves the output as it is: the report does not know it.
 */
#ifndef TOOLS_REPORT_FIELDS_H
#define TOOLS_REPORT_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fields {
    const char *file;
    const char *list; /* where we are: "records", or NULL at the top */
    size_t index;     /* in the list */
    bool has_failed;
    bool is_no_json; /* an item of a long list is not even that; nothing has been said of it */
};

/* Says that the value is not what it should be. Returns false. */
bool fields_fault(struct fields *fields, const char *key, const char *wanted);

bool fields_text(struct fields *fields, const json_t *object, const char *key, const char **out);
bool fields_flag(struct fields *fields, const json_t *object, const char *key, bool *out);

/* An integer from minimum to maximum. null counts as missing. */
bool fields_integer(struct fields *fields, const json_t *object, const char *key, int64_t minimum,
                    int64_t maximum, int64_t *out);
bool fields_count(struct fields *fields, const json_t *object, const char *key, uint64_t *out);

/* A number that is not negative. */
bool fields_number(struct fields *fields, const json_t *object, const char *key, double *out);

/* *out is NULL when there is none. */
bool fields_object(struct fields *fields, const json_t *object, const char *key, json_t **out);
bool fields_list(struct fields *fields, const json_t *object, const char *key, json_t **out);

/* A list of strings, in an array that the caller frees. */
bool fields_texts(struct fields *fields, const json_t *object, const char *key,
                  const char *const **out, size_t *count_out);

/* "0x1f" */
bool fields_hex(const json_t *value, uint64_t *out);

#endif
