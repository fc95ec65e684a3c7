#include "tools/report/quantity.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct quantity quantity_bytes(uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    struct quantity result;
    if (bytes < 1024) {
        snprintf(result.text, sizeof result.text, "%" PRIu64 " byte%s", bytes,
                 bytes == 1 ? "" : "s");
        return result;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    /* 1023.95 would be printed as 1024.0. */
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(result.text, sizeof result.text, "%.1f %s", value, units[unit]);
    return result;
}

struct quantity quantity_count(uint64_t count)
{
    char digits[QUANTITY_BYTES];
    struct quantity result;
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    int out = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            result.text[out++] = ',';
        result.text[out++] = digits[i];
    }
    result.text[out] = '\0';
    return result;
}

struct quantity quantity_age(uint64_t milliseconds)
{
    static const struct {
        uint64_t from_ms, unit_ms;
        char name[3];
    } units[] = {
        {48 * 3600000ull, 24 * 3600000ull, "d"},
        {2 * 3600000ull, 3600000, "h"},
        {2 * 60000, 60000, "m"},
        {1000, 1000, "s"},
        {0, 1, "ms"},
    };
    size_t i = 0;
    while (milliseconds < units[i].from_ms)
        i++;
    struct quantity result;
    snprintf(result.text, sizeof result.text, "%" PRIu64 "%s", milliseconds / units[i].unit_ms,
             units[i].name);
    return result;
}

static struct quantity with_sign(struct quantity amount, bool is_negative)
{
    struct quantity result;
    snprintf(result.text, sizeof result.text, "%c%.*s", is_negative ? '-' : '+',
             QUANTITY_BYTES - 2, amount.text);
    return result;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

struct quantity quantity_bytes_change(int64_t bytes)
{
    return with_sign(quantity_bytes(magnitude(bytes)), bytes < 0);
}

struct quantity quantity_count_change(int64_t count)
{
    return with_sign(quantity_count(magnitude(count)), count < 0);
}

const char *quantity_blocks(uint64_t count)
{
    return count == 1 ? "block" : "blocks";
}
