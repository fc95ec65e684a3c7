/*
 * tools/report/html: one page for a browser that needs nothing from anywhere else. Whatever comes from the program is in
 * its JSON; the script puts it on the page as text only, never as markup.
 */
#include "tools/report/page_data.h"

int render_html(const struct render *render)
{
    struct page_data *data = page_data_make(render->report);
    struct sites sites = sites_make(render->report, render->classes != 0 ? render->classes : ~0u);
    for (size_t i = 0; i < sites.count && i < PAGE_SITES_MAX; i++)
        page_data_site(data, render, &sites.list[i]);
    page_data_leave_out(data, sites.count);
    page_data_lives(data, render);
    int result = page_data_write(data, render->out);
    sites_free(&sites);
    page_data_free(data);
    return result;
}
