#include "tools/report/samples.h"

static uint64_t rounded(double value)
{
    return value < 9e18 ? (uint64_t)(value + 0.5) : INT64_MAX;
}

static uint64_t less(uint64_t from, uint64_t amount)
{
    return from > amount ? from - amount : 0;
}

/* What hangs under the samples, as often as these stand for a block. */
static struct report_amount scaled(const struct report_amount *amount, double each)
{
    return (struct report_amount){rounded(each * (double)amount->blocks), rounded(each * (double)amount->bytes)};
}

/* Adds to *beyond what its samples stand for besides themselves. */
static void scale(struct report_record *record, struct report_amount *beyond)
{
    struct report_amount sampled = record->own;
    record->is_estimate = true;
    record->own = (struct report_amount){rounded(record->weight_blocks), rounded(record->weight_bytes)};
    if (sampled.blocks > 0)
        record->indirect = scaled(&record->indirect, record->weight_blocks / (double)sampled.blocks);
    beyond->blocks += less(record->own.blocks, sampled.blocks);
    beyond->bytes += less(record->own.bytes, sampled.bytes);
}

/* Blocks that no sample hit are what the others' estimates stand for. What is left was too rare for a sample. */
static void take_off(struct report_record *record, struct report_amount *beyond)
{
    struct report_amount all = record->own;
    record->own = (struct report_amount){less(all.blocks, beyond->blocks), less(all.bytes, beyond->bytes)};
    *beyond = (struct report_amount){less(beyond->blocks, all.blocks), less(beyond->bytes, all.bytes)};
    if (record->own.blocks == 0 || record->own.bytes == 0)
        record->own = (struct report_amount){0, 0};
    if (record->own.blocks < all.blocks && all.blocks > 0)
        record->indirect = scaled(&record->indirect, (double)record->own.blocks / (double)all.blocks);
}

void samples_scale(struct report *report)
{
    struct report_amount beyond[CLASS_COUNT] = {{0, 0}};
    if (report->sample_bytes == 0)
        return;
    for (size_t i = 0; i < report->record_count; i++)
        if (report->records[i].stack >= 0 && report->records[i].weight_blocks > 0)
            scale(&report->records[i], &beyond[report->records[i].class]);
    for (size_t i = 0; i < report->record_count; i++)
        if (report->records[i].stack < 0 && report->records[i].class != CLASS_RECLAIMED)
            take_off(&report->records[i], &beyond[report->records[i].class]);
}
