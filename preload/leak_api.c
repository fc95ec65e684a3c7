/*
 * preload/leak_api: gcalloc/leak.h, on top of the core.
 */
#include "gcalloc/leak.h"

#include "gc/region.h"
#include "leak/check.h"
#include "leak/record.h"
#include "preload/export.h"

#include <errno.h>

static gca_leak_counts public_of(struct leak_counts counts)
{
    return (gca_leak_counts){counts.blocks, counts.bytes};
}

static int check(int descriptor, enum check_form form, uint32_t births, gca_leak_summary *summary_out)
{
    struct leak_counts totals[LEAK_CLASSES];
    if (!check_is_on() || !region_is_on)
        return -EOPNOTSUPP;
    int result = check_to(descriptor, form, births, totals);
    if (result != 0 || summary_out == NULL)
        return result;
    *summary_out = (gca_leak_summary){
        .definite = public_of(totals[LEAK_DEFINITE]),
        .indirect = public_of(totals[LEAK_INDIRECT]),
        .possible = public_of(totals[LEAK_POSSIBLE]),
        .kernel = public_of(totals[LEAK_KERNEL]),
        .reachable = public_of(totals[LEAK_REACHABLE]),
        .suppressed = public_of(totals[LEAK_SUPPRESSED]),
    };
    return 0;
}

EXPORT int gca_leak_check(gca_leak_summary *summary_out)
{
    return check(-1, CHECK_SILENT, 0, summary_out);
}

EXPORT int gca_leak_report(int descriptor, bool as_json, gca_leak_summary *summary_out)
{
    return check(descriptor, as_json ? CHECK_JSON : CHECK_TEXT, 0, summary_out);
}

EXPORT int gca_leak_ignore(const void *address)
{
    return record_ignore_block(address);
}

EXPORT void gca_leak_ignore_begin(void)
{
    record_ignore(1);
}

EXPORT void gca_leak_ignore_end(void)
{
    record_ignore(-1);
}

EXPORT int gca_leak_scope_begin(gca_leak_scope *scope_out)
{
    return check_is_on() && region_is_on ? check_begin(&scope_out->serial) : -EOPNOTSUPP;
}

EXPORT int gca_leak_scope_check(const gca_leak_scope *scope, int descriptor, gca_leak_summary *summary_out)
{
    gca_leak_summary summary;
    if (!check_is_on())
        return -EOPNOTSUPP;
    uint32_t births = check_births(scope->serial);
    int result = births != 0 ? check(-1, CHECK_SILENT, births, &summary) : -EOVERFLOW;
    if (result != 0)
        return result;
    if (summary_out != NULL)
        *summary_out = summary;
    bool is_lost = summary.definite.blocks + summary.possible.blocks != 0;
    return is_lost && descriptor >= 0 ? check(descriptor, CHECK_TEXT, births, NULL) : 0;
}
