/*
 * tools/report/page: the parts of the HTML page, made from the files beside this one.
 */
#ifndef TOOLS_REPORT_PAGE_H
#define TOOLS_REPORT_PAGE_H

extern const char page_head[];
extern const char page_style[];
extern const char page_body[];
extern const char page_script[];
extern const char page_chart_script[];
extern const char page_table_script[];

#endif
