/* base/message: lines reach the log file or standard error, whole and in one write, and errno stays. */
#include "base/message.h"
#include "base/options.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gcalloc-message-XXXXXX";
static char content[4096];

enum { DESCRIPTORS = 1000 }; /* that of standard error which is kept is among them */

static const char *content_of(const char *path)
{
    int descriptor = open(path, O_RDONLY);
    ck_assert_int_ge(descriptor, 0);
    ssize_t count = read(descriptor, content, sizeof content - 1);
    ck_assert_int_ge(count, 0);
    content[count] = '\0';
    close(descriptor);
    return content;
}

static void use_log_file(const char *path)
{
    char text[300];
    snprintf(text, sizeof text, "log_file=%s", path);
    setenv("GCALLOC_OPTIONS", text, 1);
    options_load();
}

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(lines_are_appended_to_the_log_file)
{
    char path[100];
    snprintf(path, sizeof path, "%s/log", folder);
    use_log_file(path);
    message_note("%s is %d", "one", 1);
    message_warn("careful: %zu bytes", (size_t)48);
    ck_assert_str_eq(content_of(path), "gcalloc: one is 1\ngcalloc: warning: careful: 48 bytes\n");
}
END_TEST

/* As the collector's helper does. */
static void *speak_without_descriptors(void *argument)
{
    ck_assert_int_eq(unshare(CLONE_FILES), 0);
    for (int i = 0; i < DESCRIPTORS; i++)
        close(i);
    message_borrow_output(argument != NULL);
    message_note("from elsewhere");
    return NULL;
}

START_TEST(who_has_no_descriptors_borrows_standard_error)
{
    char path[100];
    pthread_t thread;
    snprintf(path, sizeof path, "%s/errors", folder);
    int kept = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(dup2(file, STDERR_FILENO), STDERR_FILENO);
    for (int borrows = 0; borrows < 2; borrows++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, speak_without_descriptors, borrows != 0 ? path : NULL), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
    dup2(kept, STDERR_FILENO);
    ck_assert_str_eq(content_of(path), "gcalloc: from elsewhere\n");
}
END_TEST

START_TEST(the_process_id_is_put_in_wherever_it_is_wanted)
{
    char pattern[100], path[200];
    snprintf(pattern, sizeof pattern, "%s/log.%%p.%%p.%%x", folder);
    snprintf(path, sizeof path, "%s/log.%d.%d.%%x", folder, getpid(), getpid());
    use_log_file(pattern);
    message_note("here");
    ck_assert_str_eq(content_of(path), "gcalloc: here\n");
}
END_TEST

/* Standard error becomes a file that only appends what is written. */
static int redirect_standard_error(const char *path)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(descriptor, 0);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    ck_assert_int_eq(dup2(descriptor, STDERR_FILENO), STDERR_FILENO);
    close(descriptor);
    return saved;
}

START_TEST(without_a_usable_log_file_it_is_standard_error)
{
    char path[100], missing[100];
    snprintf(path, sizeof path, "%s/stderr", folder);
    snprintf(missing, sizeof missing, "%s/missing/log", folder);
    int saved = redirect_standard_error(path);
    use_log_file("");
    message_note("no log file");
    use_log_file(missing);
    message_note("no such folder");
    dup2(saved, STDERR_FILENO);
    ck_assert_str_eq(content_of(path), "gcalloc: no log file\ngcalloc: no such folder\n");
}
END_TEST

/* The program's own threads never borrow, also once one of ours has; and that one, when the program's number can't be written to. */
START_TEST(what_was_kept_is_used_when_standard_error_is_not)
{
    char path[100];
    pthread_t thread;
    snprintf(path, sizeof path, "%s/stderr", folder);
    use_log_file("");
    int saved = redirect_standard_error(path);
    message_keep_output();
    int unwritable = open("/dev/null", O_RDONLY);
    ck_assert_int_eq(dup2(unwritable, STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(pthread_create(&thread, NULL, speak_without_descriptors, path), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close(STDERR_FILENO);
    ck_assert_int_eq(pthread_create(&thread, NULL, speak_without_descriptors, path), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    message_note("at the end");
    dup2(saved, STDERR_FILENO);
    ck_assert_str_eq(content_of(path), "gcalloc: from elsewhere\ngcalloc: from elsewhere\ngcalloc: at the end\n");
}
END_TEST

START_TEST(a_long_line_is_cut_but_still_ends)
{
    char path[100], text[3000];
    snprintf(path, sizeof path, "%s/log", folder);
    use_log_file(path);
    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = '\0';
    message_note("%s", text);
    message_note("next");
    const char *found = content_of(path);
    const char *line_end = strchr(found, '\n');
    ck_assert_ptr_nonnull(line_end);
    ck_assert_int_gt(line_end - found, 200);
    ck_assert_int_eq(line_end[-1], 'y');
    ck_assert_str_eq(line_end + 1, "gcalloc: next\n");
}
END_TEST

START_TEST(errno_is_left_alone)
{
    char missing[100];
    snprintf(missing, sizeof missing, "%s/missing/log", folder);
    int saved = redirect_standard_error("/dev/null");
    use_log_file(missing);
    errno = ELOOP;
    message_note("the folder does not exist");
    int found = errno;
    close(STDERR_FILENO);
    errno = ELOOP;
    message_note("and standard error is closed");
    int found_closed = errno;
    dup2(saved, STDERR_FILENO);
    ck_assert_int_eq(found, ELOOP);
    ck_assert_int_eq(found_closed, ELOOP);
}
END_TEST

START_TEST(wrong_options_are_one_line_each)
{
    char path[100], text[200];
    snprintf(path, sizeof path, "%s/stderr", folder);
    int saved = redirect_standard_error(path);
    snprintf(text, sizeof text, "foo,verbose=x");
    setenv("GCALLOC_OPTIONS", text, 1);
    options_load();
    dup2(saved, STDERR_FILENO);
    ck_assert_str_eq(content_of(path),
                     "gcalloc: warning: option \"foo\": unknown; see gcalloc options\n"
                     "gcalloc: warning: option \"verbose=x\": not a number\n");
}
END_TEST

static TCase *message(void)
{
    TCase *tests = tcase_create("message");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, lines_are_appended_to_the_log_file);
    tcase_add_test(tests, the_process_id_is_put_in_wherever_it_is_wanted);
    tcase_add_test(tests, without_a_usable_log_file_it_is_standard_error);
    tcase_add_test(tests, who_has_no_descriptors_borrows_standard_error);
    tcase_add_test(tests, what_was_kept_is_used_when_standard_error_is_not);
    tcase_add_test(tests, a_long_line_is_cut_but_still_ends);
    tcase_add_test(tests, errno_is_left_alone);
    tcase_add_test(tests, wrong_options_are_one_line_each);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {message};
    return suite_run("base/message", makers, 1);
}
