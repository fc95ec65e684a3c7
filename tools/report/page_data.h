/*
 * tools/report/page_data: what the HTML page shows, as JSON for its script.
 */
#ifndef TOOLS_REPORT_PAGE_DATA_H
#define TOOLS_REPORT_PAGE_DATA_H

#include "tools/report/render.h"

#include <jansson.h>

/* A browser takes its time for more. */
enum { PAGE_SITES_MAX = 5000, PAGE_LIVES_MAX = 5000 };

struct page_data;

struct page_data *page_data_make(const struct report *report);
void page_data_free(struct page_data *data);

/* One site with its names, for the list of sites; the caller may add to it before the next call. */
json_t *page_data_site(struct page_data *data, const struct render *render,
                       const struct site *site);

/* What has come and gone, by place. */
void page_data_lives(struct page_data *data, const struct render *render);

/* Says on the page that of so many sites it has only PAGE_SITES_MAX, if it is so. */
void page_data_leave_out(struct page_data *data, size_t site_count);

/* A string; "?" for bytes that are no UTF-8. */
json_t *page_data_text(const char *text);

/* Writes the whole page. Returns 0, or -1 after an error message. */
int page_data_write(struct page_data *data, FILE *out);

/* The object that becomes the page's data. */
json_t *page_data_root(struct page_data *data);

#endif
