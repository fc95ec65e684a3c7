/*
 * tools/report/lives_text: what has come and gone, for people. Nothing where the program has not counted it.
 */
#include "tools/report/quantity.h"
#include "tools/report/text.h"

#include <inttypes.h>

enum { PLACES_SHOWN = 5 };

static void print_life(const struct render *render, const struct report_life *life, size_t number)
{
    struct report_record place = {.stack = life->stack};
    fprintf(render->out, "%sFREED %zu/%zu%s  ", text_bold(render), number, render->report->life_count, text_plain(render));
    text_amount(render, &life->freed);
    fprintf(render->out, ", %s of them within 1 ms, %s before the next was allocated; at most %s at once\n",
            quantity_count(life->lifetimes[0]).text, quantity_count(life->brief_blocks).text,
            quantity_bytes(life->peak_bytes).text);
    fputs("  id ", render->out);
    render_safe(render->out, life->id);
    putc('\n', render->out);
    text_trace(render, &place);
    putc('\n', render->out);
}

void text_lives(const struct render *render)
{
    const struct report *report = render->report;
    for (size_t i = 0; i < report->life_count && i < render->top && i < PLACES_SHOWN; i++)
        if (report->lives[i].freed.blocks > 0)
            print_life(render, &report->lives[i], i + 1);
}

/* "lived: 93% below 1ms, 4% below 2ms, ..." in tenfold steps: the powers of two are for the page. */
static void print_lifetimes(const struct render *render, const uint64_t lifetimes[LIFETIMES_MAX], uint64_t freed)
{
    static const struct {
        size_t end;
        const char *words;
    } steps[] = {{1, "below 1 ms"}, {5, "below 16 ms"}, {9, "below 256 ms"}, {13, "below 4 s"}, {17, "below 66 s"}};
    uint64_t below = 0;
    size_t next = 0;
    fputs("lifetimes:", render->out);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        while (next < steps[i].end)
            below += lifetimes[next++];
        fprintf(render->out, "%s %.1f%% %s", i == 0 ? "" : ",", 100.0 * (double)below / (double)freed, steps[i].words);
    }
    putc('\n', render->out);
}

void text_lives_total(const struct render *render)
{
    const struct report *report = render->report;
    struct report_amount allocated = {0, 0};
    struct report_amount freed = {0, 0};
    uint64_t lifetimes[LIFETIMES_MAX] = {0};
    for (size_t i = 0; i < report->life_count; i++) {
        const struct report_life *life = &report->lives[i];
        allocated.blocks += life->allocated.blocks;
        allocated.bytes += life->allocated.bytes;
        freed.blocks += life->freed.blocks;
        freed.bytes += life->freed.bytes;
        for (size_t j = 0; j < LIFETIMES_MAX; j++)
            lifetimes[j] += life->lifetimes[j];
    }
    if (report->life_count == 0)
        return;
    fputs("allocated so far: ", render->out);
    text_amount(render, &allocated);
    fputs("; freed: ", render->out);
    text_amount(render, &freed);
    putc('\n', render->out);
    if (freed.blocks > 0)
        print_lifetimes(render, lifetimes, freed.blocks);
}
