/*
 * leak/check: looks for leaks and says what was found, as the options ask for.
 */
#ifndef LEAK_CHECK_H
#define LEAK_CHECK_H

#include "leak/report.h"

#include <stdbool.h>
#include <stdint.h>

/* When a check is made; what the report calls it. */
enum check_moment { CHECK_EXIT, CHECK_UNDERSCORE_EXIT, CHECK_QUICK_EXIT, CHECK_EXEC, CHECK_ASKED, CHECK_SIGNAL };

/* What a check has found, of this process's own: what was allocated before a fork does not count. */
struct check_result {
    struct leak_counts definite;
    struct leak_counts indirect;
    struct leak_counts possible;
};

/* Once, by the main thread before there are others. Returns 0 or -errno. */
int check_start(void);
bool check_is_on(void);

/*
 * Looks for leaks, and writes a report: to the file that the option names, else to standard error if there is anything to
 * say. One check at a time; the others wait. Returns 0; -EDEADLK in a signal handler in the middle of
 * a check; or -errno when nothing can be said (survey_take()).
 */
int check_now(enum check_moment moment, struct check_result *result_out);

/* Instead of check_now(), where locks of ours may be held: a report that says so. Takes none. */
void check_refuse(enum check_moment moment);

/* Where a report that was asked for goes. */
enum check_form { CHECK_SILENT, CHECK_TEXT, CHECK_JSON };

/*
 * A check in between. The report goes to the descriptor; with CHECK_SILENT there is none. `births`: see struct report_about.
 * The totals are those of the report. Returns what check_now() does, or what the kernel said of the descriptor.
 */
int check_to(int descriptor, enum check_form form, uint32_t births, struct leak_counts totals_out[LEAK_CLASSES]);

/*
 * A new birth for all blocks from now on; *serial_out counts them. check_births(): the births since then, for check_to(); 0
 * when too many others have begun since.
 */
int check_begin(uint64_t *serial_out);
uint32_t check_births(uint64_t serial);

#endif
