/*
 * base/message: what gcalloc has to say.
 *
 * Uses os. Locks: none.
 */
#include "base/message.h"

#include "base/options.h"
#include "os/output.h"
#include "os/thread.h"

#include <errno.h>
#include <stdbool.h>

enum { STANDARD_ERROR = 2, LINE_BYTES = 512, PATH_BYTES = 320 };

void message_expand_path(struct text *path, const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] == 'p') {
            text_add(path, "%d", os_process_id());
            pattern++;
        } else {
            text_add(path, "%c", *pattern);
        }
    }
}

static struct {
    int descriptor;
    struct os_file_identity identity;
} kept = {.descriptor = -1};

void message_keep_output(void)
{
    kept.identity = os_identify(STANDARD_ERROR);
    if (!kept.identity.is_pipe)
        kept.descriptor = os_duplicate(STANDARD_ERROR);
}

/* A program that closes every descriptor may have another file under our number by now. */
static bool is_still_kept(int descriptor)
{
    struct os_file_identity now = os_identify(descriptor);
    return now.inode == kept.identity.inode && now.device == kept.identity.device;
}

static _Thread_local bool borrows __attribute__((tls_model("initial-exec")));

void message_borrow_output(bool has_own_descriptors)
{
    borrows = has_own_descriptors;
}

/* To the file that the process has under this number, if it has one. */
static int write_to(int number, const struct text *text)
{
    int descriptor = borrows ? os_borrow(number) : number;
    if (descriptor < 0)
        return descriptor;
    int result = number == kept.descriptor && !is_still_kept(descriptor) ? -EBADF : os_write_all(descriptor, text->bytes, text->length);
    if (borrows)
        os_close(descriptor);
    return result;
}

/* The program has closed its standard error; or this is a thread of ours, which has descriptors of its own. */
COLD static void write_elsewhere(const struct text *text)
{
    if (!borrows || write_to(STANDARD_ERROR, text) != 0)
        write_to(kept.descriptor, text);
}

void message_write(const struct text *text)
{
    const char *pattern = options_now()->log_file;
    if (pattern[0] != '\0') {
        char buffer[PATH_BYTES];
        struct text path = text_in(buffer, sizeof buffer);
        message_expand_path(&path, pattern);
        int descriptor = os_open_append(path.bytes);
        if (descriptor >= 0) {
            os_write_all(descriptor, text->bytes, text->length);
            os_close(descriptor);
            return;
        }
    }
    if (os_write_all(STANDARD_ERROR, text->bytes, text->length) == -EBADF)
        write_elsewhere(text);
}

static void write_line(const char *prefix, const char *format, va_list arguments)
{
    char buffer[LINE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%s", prefix);
    text_add_list(&text, format, arguments);
    if (text.length == text.size_bytes - 1)
        text.length--;
    text_add(&text, "\n");
    message_write(&text);
}

COLD void message_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("gcalloc: warning: ", format, arguments);
    va_end(arguments);
}

COLD void message_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("gcalloc: ", format, arguments);
    va_end(arguments);
}
