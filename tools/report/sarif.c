/*
 * tools/report/sarif: leaks for code scanning, in SARIF 2.1.0 (OASIS, 2020).
 */
#include "tools/report/sarif.h"

#include "tools/report/json.h"
#include "tools/report/memory.h"
#include "tools/report/quantity.h"
#include "tools/report/render.h"
#include "tools/say.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                             "sarif-schema-2.1.0.json";

/* By enum report_class. */
static const struct {
    const char *id, *text, *level;
} rules[CLASS_COUNT] = {
    {"definite-leak", "Nothing points to the block any more.", "error"},
    {"indirect-leak", "Only blocks that are lost themselves point to the block.", "warning"},
    {"possible-leak", "Only pointers into its middle lead to the block.", "warning"},
    {"kernel-held", "Only the kernel still has the block's address.", "note"},
    {"reachable", "The program can still reach the block.", "note"},
    {"suppressed-leak", "A leak that a suppression names.", "note"},
    {"healed-leak", "The program lost the block and the collector freed it.", "warning"},
};

/* Bytes that are no UTF-8 make no string. */
static json_t *string(const char *text)
{
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("?");
}

/* RFC 3986: what is not unreserved, and not a slash, is escaped. */
static char *as_uri(const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~/";
    char *uri = memory_take(3 * strlen(path) + sizeof "file://", 1);
    size_t length = 0;
    if (path[0] == '/')
        length = (size_t)sprintf(uri, "file://");
    for (; *path != '\0'; path++) {
        if (strchr(plain, *path) != NULL)
            uri[length++] = *path;
        else
            length += (size_t)sprintf(uri + length, "%%%02X", (unsigned char)*path);
    }
    return uri;
}

static json_t *physical_location(const struct symbol_frame *symbol)
{
    const char *name = render_source_name(symbol);
    char *uri = as_uri(name);
    json_t *artifact = json_object();
    json_object_set_new(artifact, "uri", string(uri));
    if (name[0] != '/')
        json_object_set_new(artifact, "uriBaseId", string("SRCROOT"));
    free(uri);
    json_t *location = json_object();
    json_object_set_new(location, "artifactLocation", artifact);
    if (symbol->line > 0)
        json_object_set_new(location, "region",
                            json_pack("{s:i}", "startLine", (int)symbol->line));
    return location;
}

static json_t *location_of(const struct render *render, const struct trace_frame *frame)
{
    json_t *location = json_object();
    char *label = names_label(render->report, frame);
    if (frame->symbol != NULL && frame->symbol->file != NULL)
        json_object_set_new(location, "physicalLocation", physical_location(frame->symbol));
    json_t *logical = json_object();
    json_object_set_new(logical, "fullyQualifiedName", string(label));
    json_object_set_new(location, "logicalLocations", json_pack("[o]", logical));
    json_object_set_new(location, "message", json_pack("{s:o}", "text", string(label)));
    free(label);
    return location;
}

static json_t *stack_of(const struct render *render, const struct trace *trace)
{
    json_t *frames = json_array();
    for (size_t i = 0; i < trace->count; i++) {
        const struct report_address *address = trace->frames[i].address;
        json_t *frame = json_object();
        json_object_set_new(frame, "location", location_of(render, &trace->frames[i]));
        if (address->module >= 0)
            json_object_set_new(frame, "module",
                                string(render->report->modules[address->module].path));
        json_array_append_new(frames, frame);
    }
    return json_pack("{s:{s:s}, s:o}", "message", "text", "where it was allocated", "frames",
                     frames);
}

/* The finding belongs to the innermost place whose source is known. */
static const struct trace_frame *main_frame(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        if (trace->frames[i].symbol != NULL && trace->frames[i].symbol->file != NULL)
            return &trace->frames[i];
    return trace->count > 0 ? &trace->frames[0] : NULL;
}

static char *message_of(const struct render *render, const struct site *site,
                        const struct trace_frame *frame)
{
    char *label = frame != NULL ? names_label(render->report, frame) : memory_copy("?");
    struct quantity bytes = quantity_bytes(site->own.bytes);
    struct quantity blocks = quantity_count(site->own.blocks);
    struct quantity more = quantity_bytes(site->indirect.bytes);
    char *text = memory_format("%s: %s%s in %s %s allocated by %s%s%s%s",
                               class_name_list[site->record->class], site->is_estimate ? "about " : "", bytes.text, blocks.text,
                               quantity_blocks(site->own.blocks), label,
                               site->indirect.blocks > 0 ? ", and " : "",
                               site->indirect.blocks > 0 ? more.text : "",
                               site->indirect.blocks > 0 ? " that only they hold" : "");
    free(label);
    return text;
}

json_t *sarif_result(const struct render *render, const struct site *site)
{
    const struct report_record *record = site->record;
    struct trace trace = names_trace(render->names, record->stack, !render->is_full);
    const struct trace_frame *frame = main_frame(&trace);
    char *message = message_of(render, site, frame);
    json_t *result = json_object();
    json_object_set_new(result, "ruleId", json_string(rules[record->class].id));
    json_object_set_new(result, "ruleIndex", json_integer(record->class));
    json_object_set_new(result, "level", json_string(rules[record->class].level));
    json_object_set_new(result, "message", json_pack("{s:o}", "text", string(message)));
    if (frame != NULL)
        json_object_set_new(result, "locations",
                            json_pack("[o]", location_of(render, frame)));
    if (trace.count > 0)
        json_object_set_new(result, "stacks", json_pack("[o]", stack_of(render, &trace)));
    if (*record->id != '\0')
        json_object_set_new(result, "partialFingerprints",
                            json_pack("{s:o}", "gcallocSite/v1", string(record->id)));
    json_object_set_new(result, "occurrenceCount",
                        json_integer(site->own.blocks > 0 ? (json_int_t)site->own.blocks : 1));
    if (record->class == CLASS_SUPPRESSED)
        json_object_set_new(result, "suppressions", json_pack("[{s:s}]", "kind", "external"));
    free(message);
    free(trace.frames);
    return result;
}

static json_t *driver(void)
{
    json_t *list = json_array();
    for (enum report_class class = 0; class < CLASS_COUNT; class++)
        json_array_append_new(
            list, json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", rules[class].id, "shortDescription",
                            "text", rules[class].text, "defaultConfiguration", "level",
                            rules[class].level));
    return json_pack("{s:s, s:s, s:o}", "name", "gcalloc", "version", GCALLOC_VERSION, "rules",
                     list);
}

int sarif_write(json_t *results, FILE *out)
{
    json_t *root = json_pack("{s:s, s:s, s:[{s:{s:o}, s:s, s:o}]}", "$schema", schema, "version",
                             "2.1.0", "runs", "tool", "driver", driver(), "columnKind",
                             "utf16CodeUnits", "results", results);
    if (root != NULL)
        return json_write(root, out);
    say_error("out of memory");
    return -1;
}

int render_sarif(const struct render *render)
{
    unsigned classes = sites_classes(render->report, render->classes);
    /* Suppressed findings are part of the format: viewers hide them. */
    struct sites sites =
        sites_make(render->report, render->classes != 0 ? classes : classes | 1u << CLASS_SUPPRESSED);
    json_t *results = json_array();
    for (size_t i = 0; i < sites.count; i++)
        json_array_append_new(results, sarif_result(render, &sites.list[i]));
    sites_free(&sites);
    return sarif_write(results, render->out);
}
