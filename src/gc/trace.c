/*
 * gc/trace: what collections do and when, as JSON in the Trace Event Format.
 *
 * Noted in a table during a cycle, written at its end. Each time the file is opened, locked, and its last line, which ends the
 * array, replaced by what is new and another last line. If another process holds the lock, or is stopped while it does,
 * the events wait for the next cycle.
 *
 * Uses os, base. Locks: none, but on the file.
 */
#include "gc/trace.h"

#include "base/format.h"
#include "base/message.h"
#include "base/options.h"
#include "os/output.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { EVENTS_MAX = 2048, EVENT_BYTES = 192, PATH_BYTES = 320 };

struct event {
    const char *name;
    uint64_t start_ns;
    uint64_t value; /* how long, in nanoseconds; or the figure */
    int32_t thread_id;
    bool is_count;
};

static struct event events[EVENTS_MAX];
static _Atomic uint32_t event_count; /* of those noted; those that found no room are lost */
static bool failed;                  /* said so */

static void add(struct event event)
{
    if (options_now()->gc_trace[0] == '\0')
        return;
    event.thread_id = os_thread_id();
    uint32_t place = atomic_fetch_add_explicit(&event_count, 1, memory_order_relaxed);
    if (place < EVENTS_MAX)
        events[place] = event;
}

void trace_phase(const char *name, uint64_t start_ns, uint64_t end_ns)
{
    add((struct event){.name = name, .start_ns = start_ns, .value = end_ns - start_ns});
}

void trace_count(const char *name, uint64_t moment_ns, uint64_t value)
{
    add((struct event){.name = name, .start_ns = moment_ns, .value = value, .is_count = true});
}

/* The format's unit of time is a microsecond. */
static void add_us(struct text *text, const char *key, uint64_t time_ns)
{
    uint64_t rest = time_ns % 1000;
    text_add(text, ",\"%s\":%lu.%lu%lu%lu", key, time_ns / 1000, rest / 100, rest / 10 % 10, rest % 10);
}

static void add_event(struct text *text, const struct event *event, bool is_first)
{
    text_add(text, "%s{\"name\":\"%s\",\"cat\":\"gc\",\"ph\":\"%s\",\"pid\":%d,\"tid\":%d", is_first ? "" : ",\n",
             event->name, event->is_count ? "C" : "X", os_process_id(), event->thread_id);
    add_us(text, "ts", event->start_ns);
    if (event->is_count)
        text_add(text, ",\"args\":{\"bytes\":%lu}}", event->value);
    else
        add_us(text, "dur", event->value);
    text_add(text, event->is_count ? "" : "}");
}

static const char file_start[] = "[\n", file_end[] = "\n]\n";

/* Where the next event goes; -EINVAL when the file is none of these. */
static int64_t find_end(int descriptor)
{
    char end[sizeof file_end];
    size_t size_bytes = os_file_bytes(descriptor);
    size_t end_bytes = sizeof file_end - 1;
    if (size_bytes == 0)
        return 0;
    if (size_bytes < end_bytes || os_read_at(descriptor, end, end_bytes, size_bytes - end_bytes) != (long)end_bytes ||
        memcmp(end, file_end, end_bytes) != 0)
        return -EINVAL;
    return (int64_t)(size_bytes - end_bytes);
}

static int write_events(int descriptor, uint32_t count)
{
    char buffer[EVENT_BYTES * 16];
    int64_t end = find_end(descriptor);
    bool is_first = end == 0;
    int result = end < 0 ? (int)end : 0;
    for (uint32_t i = 0; result == 0 && i < count;) {
        struct text text = text_in(buffer, sizeof buffer);
        text_add(&text, "%s", is_first ? file_start : "");
        for (; i < count && text.length + 2 * EVENT_BYTES < sizeof buffer; i++, is_first = false)
            add_event(&text, &events[i], is_first);
        size_t event_bytes = text.length;
        text_add(&text, "%s", file_end);
        result = os_write_at(descriptor, text.bytes, text.length, (uint64_t)end);
        end += (int64_t)event_bytes;
    }
    return result;
}

static void say_why(const char *path, int result)
{
    if (!failed && result != -EAGAIN)
        message_warn("option \"gc_trace\": nothing can be added to %s, error %d", path, -result);
    failed = failed || result != -EAGAIN;
}

void trace_write(void)
{
    uint32_t count = atomic_load_explicit(&event_count, memory_order_acquire);
    if (count == 0)
        return;
    char buffer[PATH_BYTES];
    struct text path = text_in(buffer, sizeof buffer);
    message_expand_path(&path, options_now()->gc_trace);
    int descriptor = os_open_shared(path.bytes);
    int result = descriptor < 0 ? descriptor : os_try_lock_file(descriptor);
    if (result == 0)
        result = write_events(descriptor, count < EVENTS_MAX ? count : EVENTS_MAX);
    if (descriptor >= 0)
        os_close(descriptor);
    if (result != 0)
        say_why(path.bytes, result);
    if (result != -EAGAIN)
        atomic_store_explicit(&event_count, 0, memory_order_relaxed);
}
