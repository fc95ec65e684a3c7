/*
 * tools/run_reports, built without jansson: the program says itself what it has lost, by file and offset.
 */
#include "tools/run_reports.h"

#include "tools/preload_env.h"
#include "tools/say.h"

#include <errno.h>
#include <stdlib.h>

struct run_reports {
    bool is_wanted;
};

struct run_reports *run_reports_make(void)
{
    return calloc(1, sizeof(struct run_reports));
}

bool run_reports_take(struct run_reports *reports, int letter, const char *argument,
                      bool *is_wrong_out)
{
    (void)argument;
    *is_wrong_out = false;
    if (letter < RUN_LEAKS || letter > RUN_SARIF)
        return false;
    if (letter == RUN_LEAKS) {
        reports->is_wanted = true;
    } else {
        say_error("this gcalloc was built without jansson: of reports there is --leaks only");
        *is_wrong_out = true;
    }
    return true;
}

bool run_reports_are_wanted(const struct run_reports *reports)
{
    return reports->is_wanted;
}

int run_reports_prepare(struct run_reports *reports)
{
    (void)reports;
    return preload_env_add_options("leaks");
}

int run_reports_finish(struct run_reports *reports, const char *program, const char *hindrance,
                       int wait_status)
{
    (void)program;
    (void)hindrance;
    run_reports_drop(reports);
    return wait_status;
}

void run_reports_drop(struct run_reports *reports)
{
    free(reports);
}
