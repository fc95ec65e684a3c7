/* tools/report/format: the outer forms of a report. */
#ifndef TOOLS_REPORT_FORMAT_H
#define TOOLS_REPORT_FORMAT_H

enum render_format {
    RENDER_TEXT,
    RENDER_JSON,
    RENDER_HTML,
    RENDER_PPROF,
    RENDER_FOLDED,
    RENDER_SARIF,
    RENDER_SUPPRESSIONS,
};

#endif
