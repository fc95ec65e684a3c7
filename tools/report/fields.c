#include "tools/report/fields.h"

#include "tools/report/memory.h"
#include "tools/say.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool fields_fault(struct fields *fields, const char *key, const char *wanted)
{
    if (!fields->has_failed && fields->list != NULL)
        say_error("%s: damaged: %s[%zu].%s is not %s", fields->file, fields->list, fields->index,
                  key, wanted);
    else if (!fields->has_failed)
        say_error("%s: damaged: \"%s\" is not %s", fields->file, key, wanted);
    fields->has_failed = true;
    return false;
}

/* NULL when missing. */
static json_t *value_of(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

bool fields_text(struct fields *fields, const json_t *object, const char *key, const char **out)
{
    const json_t *value = value_of(object, key);
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return fields_fault(fields, key, "a string");
    *out = json_string_value(value);
    return true;
}

bool fields_flag(struct fields *fields, const json_t *object, const char *key, bool *out)
{
    const json_t *value = value_of(object, key);
    if (value == NULL)
        return true;
    if (!json_is_boolean(value))
        return fields_fault(fields, key, "true or false");
    *out = json_is_true(value);
    return true;
}

bool fields_integer(struct fields *fields, const json_t *object, const char *key, int64_t minimum,
                    int64_t maximum, int64_t *out)
{
    const json_t *value = value_of(object, key);
    if (value == NULL)
        return true;
    if (!json_is_integer(value))
        return fields_fault(fields, key, "a whole number");
    int64_t found = json_integer_value(value);
    if (found < minimum || found > maximum)
        return fields_fault(fields, key, "in its range");
    *out = found;
    return true;
}

bool fields_count(struct fields *fields, const json_t *object, const char *key, uint64_t *out)
{
    /* Sums of a few million of them must not overflow. */
    const int64_t count_max = (int64_t)1 << 50;
    int64_t found = (int64_t)*out;
    if (!fields_integer(fields, object, key, 0, count_max, &found))
        return false;
    *out = (uint64_t)found;
    return true;
}

bool fields_number(struct fields *fields, const json_t *object, const char *key, double *out)
{
    const json_t *value = value_of(object, key);
    if (value == NULL)
        return true;
    if (!json_is_number(value) || !isfinite(json_number_value(value)) ||
        json_number_value(value) < 0)
        return fields_fault(fields, key, "a number");
    *out = json_number_value(value);
    return true;
}

bool fields_object(struct fields *fields, const json_t *object, const char *key, json_t **out)
{
    *out = value_of(object, key);
    return *out == NULL || json_is_object(*out) || fields_fault(fields, key, "an object");
}

bool fields_list(struct fields *fields, const json_t *object, const char *key, json_t **out)
{
    *out = value_of(object, key);
    return *out == NULL || json_is_array(*out) || fields_fault(fields, key, "a list");
}

bool fields_texts(struct fields *fields, const json_t *object, const char *key,
                  const char *const **out, size_t *count_out)
{
    json_t *list;
    if (!fields_list(fields, object, key, &list))
        return false;
    size_t count = json_array_size(list);
    const char **texts = memory_take(count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
        if (texts[i] == NULL) {
            free(texts);
            return fields_fault(fields, key, "a list of strings");
        }
    }
    *out = texts;
    *count_out = count;
    return true;
}

bool fields_hex(const json_t *value, uint64_t *out)
{
    const char *text = json_string_value(value);
    if (text == NULL || strncmp(text, "0x", 2) != 0 || strlen(text) > 18 ||
        strlen(text) == 2 || text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] != '\0')
        return false;
    *out = strtoull(text + 2, NULL, 16);
    return true;
}
