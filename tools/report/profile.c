#include "tools/report/profile.h"

#include "tools/report/memory.h"
#include "tools/report/profile.pb-c.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Each mapping has this much of an invented address space: where modules really lay would differ from run to run. */
enum { MAPPING_SHIFT = 40 };

/* From a key to a number from 0 on. */
struct table {
    struct table_entry {
        uint64_t key[2];
        size_t number_plus_1;
    } *entries;
    size_t capacity;
    size_t count;
};

struct profile {
    Pprof__Profile message;
    char **strings;
    Pprof__Sample **samples;
    Pprof__Mapping **mappings;
    Pprof__Location **locations;
    Pprof__Function **functions;
    int64_t *comments;
    struct table string_table;
    struct table mapping_table;
    struct table location_table;
    struct table function_table;
    void **kept;
    size_t kept_count;
};

static uint64_t mixed(const uint64_t key[2])
{
    uint64_t hash = key[0] * 0x9e3779b97f4a7c15u ^ (key[1] + 0x632be59bd9b4e019u);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    return hash ^ (hash >> 27);
}

static struct table_entry *entry_of(struct table *table, const uint64_t key[2])
{
    size_t at = (size_t)mixed(key) & (table->capacity - 1);
    while (table->entries[at].number_plus_1 != 0 &&
           (table->entries[at].key[0] != key[0] || table->entries[at].key[1] != key[1]))
        at = (at + 1) & (table->capacity - 1);
    return &table->entries[at];
}

static void table_grow(struct table *table)
{
    struct table old = *table;
    table->capacity = old.capacity == 0 ? 256 : 2 * old.capacity;
    table->entries = memory_take(table->capacity, sizeof *table->entries);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.entries[i].number_plus_1 != 0)
            *entry_of(table, old.entries[i].key) = old.entries[i];
    free(old.entries);
}

/* True when the key is new; its number is then the count so far. */
static bool table_add(struct table *table, uint64_t first, uint64_t second, size_t *number_out)
{
    const uint64_t key[2] = {first, second};
    if (2 * table->count >= table->capacity)
        table_grow(table);
    struct table_entry *entry = entry_of(table, key);
    bool is_new = entry->number_plus_1 == 0;
    if (is_new)
        *entry = (struct table_entry){.key = {first, second}, .number_plus_1 = ++table->count};
    *number_out = entry->number_plus_1 - 1;
    return is_new;
}

/* Freed with the profile. */
static void *take(struct profile *profile, size_t count, size_t size_bytes)
{
    profile->kept = memory_grow(profile->kept, profile->kept_count, sizeof *profile->kept);
    return profile->kept[profile->kept_count++] = memory_take(count, size_bytes);
}

/* Two hashes of 64 bits each tell texts apart. */
static int64_t string(struct profile *profile, const char *text)
{
    uint64_t first = 0xcbf29ce484222325u;
    uint64_t second = 0x9ae16a3b2f90404fu;
    size_t number;
    for (const char *at = text; *at != '\0'; at++) {
        first = (first ^ (unsigned char)*at) * 0x100000001b3u;
        second = (second + (unsigned char)*at) * 0xff51afd7ed558ccdu;
        second ^= second >> 31;
    }
    if (table_add(&profile->string_table, first, second, &number)) {
        profile->strings = memory_grow(profile->strings, number, sizeof *profile->strings);
        profile->strings[number] = memory_copy(text);
    }
    return (int64_t)number;
}

struct profile *profile_make(const char *const types[][2], size_t value_count, size_t default_value)
{
    struct profile *profile = memory_take(1, sizeof *profile);
    pprof__profile__init(&profile->message);
    string(profile, "");
    Pprof__ValueType **list = take(profile, value_count, sizeof *list);
    for (size_t i = 0; i < value_count; i++) {
        list[i] = take(profile, 1, sizeof **list);
        pprof__value_type__init(list[i]);
        list[i]->type = string(profile, types[i][0]);
        list[i]->unit = string(profile, types[i][1]);
    }
    profile->message.n_sample_type = value_count;
    profile->message.sample_type = list;
    profile->message.default_sample_type = string(profile, types[default_value][0]);
    return profile;
}

void profile_free(struct profile *profile)
{
    for (size_t i = 0; i < profile->string_table.count; i++)
        free(profile->strings[i]);
    for (size_t i = 0; i < profile->kept_count; i++)
        free(profile->kept[i]);
    free(profile->kept);
    free(profile->strings);
    free(profile->samples);
    free(profile->mappings);
    free(profile->locations);
    free(profile->functions);
    free(profile->comments);
    free(profile->string_table.entries);
    free(profile->mapping_table.entries);
    free(profile->location_table.entries);
    free(profile->function_table.entries);
    free(profile);
}

void profile_set_time(struct profile *profile, int64_t taken_ms, int64_t running_ms)
{
    profile->message.time_nanos = taken_ms * 1000000;
    profile->message.duration_nanos = running_ms * 1000000;
}

void profile_set_period(struct profile *profile, int64_t sample_bytes)
{
    Pprof__ValueType *type = take(profile, 1, sizeof *type);
    pprof__value_type__init(type);
    type->type = string(profile, "space");
    type->unit = string(profile, "bytes");
    profile->message.period_type = type;
    profile->message.period = sample_bytes > 0 ? sample_bytes : 1;
}

void profile_add_comment(struct profile *profile, const char *text)
{
    size_t at = profile->message.n_comment++;
    profile->comments = memory_grow(profile->comments, at, sizeof *profile->comments);
    profile->comments[at] = string(profile, text);
}

static uint64_t mapping_id(struct profile *profile, const struct report_module *module)
{
    size_t number;
    int64_t path = string(profile, module->path);
    int64_t build_id = string(profile, module->build_id);
    if (!table_add(&profile->mapping_table, (uint64_t)path, (uint64_t)build_id, &number))
        return number + 1;
    Pprof__Mapping *mapping = take(profile, 1, sizeof *mapping);
    pprof__mapping__init(mapping);
    mapping->id = number + 1;
    mapping->memory_start = mapping->id << MAPPING_SHIFT;
    mapping->memory_limit = (mapping->id + 1) << MAPPING_SHIFT;
    mapping->filename = path;
    mapping->build_id = build_id;
    /* Or pprof would try to find the names itself. */
    mapping->has_functions = mapping->has_filenames = mapping->has_line_numbers = true;
    mapping->has_inline_frames = true;
    profile->mappings = memory_grow(profile->mappings, number, sizeof *profile->mappings);
    profile->mappings[number] = mapping;
    return mapping->id;
}

void profile_set_program(struct profile *profile, const struct report *report)
{
    for (size_t i = 0; i < report->module_count; i++)
        if (strcmp(report->modules[i].path, report->program) == 0) {
            mapping_id(profile, &report->modules[i]);
            return;
        }
}

static uint64_t function_id(struct profile *profile, const char *name, const char *linkage,
                            const char *file)
{
    size_t number;
    int64_t name_index = string(profile, name);
    int64_t file_index = string(profile, file);
    if (!table_add(&profile->function_table, (uint64_t)name_index, (uint64_t)file_index, &number))
        return number + 1;
    Pprof__Function *function = take(profile, 1, sizeof *function);
    pprof__function__init(function);
    function->id = number + 1;
    function->name = name_index;
    function->system_name = string(profile, linkage);
    function->filename = file_index;
    profile->functions = memory_grow(profile->functions, number, sizeof *profile->functions);
    profile->functions[number] = function;
    return function->id;
}

static Pprof__Line *line_of(struct profile *profile, const char *name, const char *linkage,
                            const char *file, unsigned number)
{
    Pprof__Line *line = take(profile, 1, sizeof *line);
    pprof__line__init(line);
    line->function_id = function_id(profile, name, linkage, file != NULL ? file : "");
    line->line = number;
    return line;
}

static void add_lines(struct profile *profile, Pprof__Location *location,
                      const struct report *report, const struct report_address *address,
                      const struct symbol *symbol)
{
    location->n_line = symbol->count > 0 ? symbol->count : 1;
    location->line = take(profile, location->n_line, sizeof *location->line);
    char *place = names_place(report, address);
    for (size_t i = 0; i < symbol->count; i++) {
        const struct symbol_frame *frame = &symbol->frames[i];
        bool is_named = frame->function != NULL;
        location->line[i] =
            line_of(profile, is_named ? frame->signature : place, is_named ? frame->linkage : place,
                    frame->file, frame->line);
    }
    if (symbol->count == 0)
        location->line[0] = line_of(profile, place, place, NULL, 0);
    free(place);
}

static uint64_t location_id(struct profile *profile, const struct report *report,
                            struct names *names, const struct report_address *address)
{
    size_t number;
    uint64_t mapping =
        address->module >= 0 ? mapping_id(profile, &report->modules[address->module]) : 0;
    if (!table_add(&profile->location_table, mapping, address->offset, &number))
        return number + 1;
    struct symbol symbol = names_find(names, address);
    Pprof__Location *location = take(profile, 1, sizeof *location);
    pprof__location__init(location);
    location->id = number + 1;
    location->mapping_id = mapping;
    location->address = (mapping << MAPPING_SHIFT) + address->offset;
    add_lines(profile, location, report, address, &symbol);
    profile->locations = memory_grow(profile->locations, number, sizeof *profile->locations);
    profile->locations[number] = location;
    return location->id;
}

static void add_labels(struct profile *profile, Pprof__Sample *sample,
                       const struct profile_label *labels, size_t count)
{
    sample->n_label = count;
    sample->label = take(profile, count, sizeof *sample->label);
    for (size_t i = 0; i < count; i++) {
        Pprof__Label *label = take(profile, 1, sizeof *label);
        pprof__label__init(label);
        label->key = string(profile, labels[i].key);
        if (labels[i].text != NULL)
            label->str = string(profile, labels[i].text);
        else
            label->num = labels[i].number;
        if (labels[i].unit != NULL)
            label->num_unit = string(profile, labels[i].unit);
        sample->label[i] = label;
    }
}

void profile_add_sample(struct profile *profile, const struct report *report, struct names *names,
                        const struct trace *trace, const int64_t *values,
                        const struct profile_label *labels, size_t label_count)
{
    size_t at = profile->message.n_sample++;
    Pprof__Sample *sample = take(profile, 1, sizeof *sample);
    pprof__sample__init(sample);
    sample->location_id = take(profile, trace->count, sizeof *sample->location_id);
    for (size_t i = 0; i < trace->count; i++)
        if (i == 0 || trace->frames[i].address != trace->frames[i - 1].address)
            sample->location_id[sample->n_location_id++] =
                location_id(profile, report, names, trace->frames[i].address);
    sample->n_value = profile->message.n_sample_type;
    sample->value = take(profile, sample->n_value, sizeof *sample->value);
    memcpy(sample->value, values, sample->n_value * sizeof *values);
    add_labels(profile, sample, labels, label_count);
    profile->samples = memory_grow(profile->samples, at, sizeof *profile->samples);
    profile->samples[at] = sample;
}

/* gzip, through a stream of zlib's of its own: the FILE stays the caller's. */
static int write_compressed(const uint8_t *bytes, size_t length, FILE *out)
{
    enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };
    unsigned char buffer[16384];
    z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)length};
    if (length > UINT32_MAX || deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
                                            MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return -1;
    int result;
    do {
        stream.next_out = buffer;
        stream.avail_out = sizeof buffer;
        result = deflate(&stream, Z_FINISH);
        fwrite(buffer, 1, sizeof buffer - stream.avail_out, out);
    } while (result == Z_OK);
    deflateEnd(&stream);
    return result == Z_STREAM_END ? 0 : -1;
}

int profile_write(struct profile *profile, FILE *out)
{
    Pprof__Profile *message = &profile->message;
    message->sample = profile->samples;
    message->n_mapping = profile->mapping_table.count;
    message->mapping = profile->mappings;
    message->n_location = profile->location_table.count;
    message->location = profile->locations;
    message->n_function = profile->function_table.count;
    message->function = profile->functions;
    message->n_string_table = profile->string_table.count;
    message->string_table = profile->strings;
    message->comment = profile->comments;
    size_t length = pprof__profile__get_packed_size(message);
    uint8_t *bytes = memory_take(length, 1);
    pprof__profile__pack(message, bytes);
    int result = write_compressed(bytes, length, out);
    free(bytes);
    if (result != 0)
        say_error("the profile can't be compressed");
    return result;
}
