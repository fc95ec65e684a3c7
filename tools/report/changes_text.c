/*
 * tools/report/changes_text: what changed, for people and for tools that read lines.
 */
#include "tools/report/changes.h"
#include "tools/report/memory.h"
#include "tools/report/quantity.h"
#include "tools/report/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void print_title(const struct changes *changes)
{
    const struct render *render = &changes->after;
    FILE *out = render->out;
    fprintf(out, "%sgcalloc: %s of ", text_bold(render),
            render->report->is_snapshot ? "heap" : "leaks");
    render_safe(out, report_program_name(render->report));
    if (changes->between_ms > 0)
        fprintf(out, " (process %" PRId64 "), %s", render->report->process_id,
                quantity_age((uint64_t)changes->between_ms).text);
    fputs(changes->between_ms > 0 ? " from " : ", from ", out);
    render_safe(out, changes->before.report->file);
    fputs(" to ", out);
    render_safe(out, render->report->file);
    fprintf(out, "%s\n\n", text_plain(render));
}

static void print_change(const struct changes *changes, const struct change *change, size_t number)
{
    const struct site *site = change_site(change);
    const struct render *render = change_render(changes, change);
    char state[16];
    snprintf(state, sizeof state, "%s", change_state_names[change->state]);
    for (char *letter = state; *letter != '\0'; letter++)
        *letter = (char)toupper((unsigned char)*letter);
    fprintf(render->out, "%s%s %zu/%zu %s%s  %s%s in %s blocks",
            change->bytes < 0 ? text_bold(render)
                              : text_class_color(render, site->record->class),
            state, number, changes->changed_count, class_name_list[site->record->class],
            text_plain(render), site->is_estimate ? "~" : "", quantity_bytes_change(change->bytes).text,
            quantity_count_change(change->blocks).text);
    if (change->rate != 0)
        fprintf(render->out, "  %s/s", quantity_bytes_change(change->rate).text);
    if (change->state == CHANGE_GROWN || change->state == CHANGE_SHRUNK) {
        fputs("  now ", render->out);
        text_site_amount(render, &change->after, &change->after.total);
    }
    putc('\n', render->out);
    text_identity(render, site);
    text_trace(render, site->record);
    putc('\n', render->out);
}

static void print_totals(const struct changes *changes)
{
    FILE *out = changes->after.out;
    const char *separator = "change: ";
    for (enum report_class class = 0; class < CLASS_COUNT; class++) {
        const struct report_amount *before = &changes->before.report->totals[class];
        const struct report_amount *after = &changes->after.report->totals[class];
        int64_t blocks = (int64_t)after->blocks - (int64_t)before->blocks;
        int64_t bytes = (int64_t)after->bytes - (int64_t)before->bytes;
        if (blocks == 0 && bytes == 0)
            continue;
        fprintf(out, "%s%s %s in %s blocks", separator, class_name_list[class],
                quantity_bytes_change(bytes).text, quantity_count_change(blocks).text);
        separator = ", ";
    }
    fputs(*separator == ',' ? "\n" : "change: none\n", out);
}

static void print_rest(const struct changes *changes, size_t shown)
{
    int64_t bytes = 0;
    for (size_t i = shown; i < changes->changed_count; i++)
        bytes += changes->list[i].bytes;
    if (shown < changes->changed_count)
        fprintf(changes->after.out, "... and %s more: %s (--top shows more)\n\n",
                quantity_count(changes->changed_count - shown).text,
                quantity_bytes_change(bytes).text);
}

int changes_text(const struct changes *changes)
{
    size_t shown = changes->changed_count < changes->after.top ? changes->changed_count
                                                               : changes->after.top;
    print_title(changes);
    for (size_t i = 0; i < shown; i++)
        print_change(changes, &changes->list[i], i + 1);
    print_rest(changes, shown);
    print_totals(changes);
    return 0;
}

/* Two numbers a line, before and after: what difffolded.pl writes and flamegraph.pl colours by. */
int changes_folded(const struct changes *changes)
{
    bool by_blocks = changes->after.by_blocks;
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        const struct render *render = change_render(changes, change);
        render_folded_stack(render, change_site(change)->record);
        fprintf(render->out, " %" PRIu64 " %" PRIu64 "\n",
                by_blocks ? change->before.total.blocks : change->before.total.bytes,
                by_blocks ? change->after.total.blocks : change->after.total.bytes);
    }
    return 0;
}

/* For what is new or has grown. */
int changes_suppressions(const struct changes *changes)
{
    for (size_t i = 0; i < changes->changed_count; i++) {
        const struct change *change = &changes->list[i];
        char *line = change->bytes > 0
                         ? render_suppression_line(&changes->after, change->after.record)
                         : NULL;
        if (line != NULL) {
            fprintf(changes->after.out, "# %s, %s\n", change_state_names[change->state],
                    quantity_bytes_change(change->bytes).text);
            render_safe(changes->after.out, line);
            putc('\n', changes->after.out);
        }
        free(line);
    }
    return 0;
}
