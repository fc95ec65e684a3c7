/*
 * tools/top_watch: the looks that `gcalloc top` takes.
 *
 * Every look is a copy of the heap's tables, read from outside and counted here with the library's
 * own code. The program is not stopped and does nothing for it.
 */
#include "tools/top_watch.h"

#include "base/image.h"
#include "heap/statistics.h"
#include "tools/elsewhere.h"
#include "tools/image_copy.h"
#include "tools/say.h"
#include "tools/target.h"
#include "tools/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct watch {
    struct top_request request;
    struct top_view view;
    char name[32];
    bool on_terminal;
    struct target target;
    int process; /* a descriptor that becomes readable when the process ends, or -1 */
    struct image_copy copy;
};

static int fail(const struct watch *watch, int error)
{
    say_error("process %d: %s", watch->view.process_id, target_problem(error));
    return STATUS_FAILED;
}

/* True when the process is there no more; it may have become a zombie, too. */
static bool has_ended(const struct watch *watch)
{
    struct target again;
    int result = target_attach(watch->view.process_id, &again);
    if (result == 0)
        target_detach(&again);
    return result == -ESRCH;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A program that has called exec has a new heap elsewhere. */
static int refresh(struct watch *watch, const struct image **image_out)
{
    int result = image_copy_refresh(&watch->copy, &watch->target, image_out);
    if (result != -EFAULT && result != -EPROTO && result != -ESRCH)
        return result;
    int found = target_find_image(&watch->target);
    if (found != 0)
        return found;
    target_name(&watch->target, watch->name, sizeof watch->name);
    image_copy_drop(&watch->copy);
    return image_copy_refresh(&watch->copy, &watch->target, image_out);
}

/* The record lies in the copy of the metadata, if the header is right. */
static void take_history(const struct image *image, struct history *history_out)
{
    uintptr_t start = (uintptr_t)image->collector;
    uintptr_t offset = start - image->metadata_start;
    size_t used_bytes = atomic_load(&image->metadata_used_bytes);
    const struct history *history = image->collector;
    memset(history_out, 0, sizeof *history_out);
    if (start >= image->metadata_start && start % _Alignof(struct history) == 0 &&
        used_bytes >= sizeof *history && offset <= used_bytes - sizeof *history &&
        history->history_bytes == sizeof *history)
        *history_out = *history;
}

static int take_sample(struct watch *watch, struct top_sample *sample)
{
    const struct image *image;
    int result = refresh(watch, &image);
    if (result != 0)
        return result;
    sample->time_s = now_s();
    sample->resident_bytes = target_resident_bytes(&watch->target);
    result = statistics_collect(image, &sample->heap);
    sample->class_count = statistics_collect_classes(image, sample->classes, TOP_CLASSES_MAX);
    if (sample->class_count > TOP_CLASSES_MAX)
        sample->class_count = TOP_CLASSES_MAX;
    sample->held = (struct statistics_held){0, 0};
    if (image->options.quarantine != 0)
        statistics_collect_held(image, &sample->held);
    take_history(image, &sample->gc);
    sample->taken = result == 0;
    return result;
}

static int show(const struct watch *watch, const struct top_sample *now,
                const struct top_sample *before, bool is_first)
{
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL)
        return -errno;
    top_view_print(stream, &watch->view, now, before);
    if (fclose(stream) != 0)
        return -errno;
    if (watch->on_terminal)
        terminal_draw(text);
    else
        printf("%s%s", is_first ? "" : "\n", text);
    free(text);
    return fflush(stdout) == 0 ? 0 : -errno;
}

enum next { NEXT_LOOK, NEXT_END, NEXT_GONE };

static enum next wait_plainly(const struct watch *watch, double timeout_s)
{
    struct pollfd process = {.fd = watch->process, .events = POLLIN};
    int ready = poll(&process, 1, timeout_s > 0 ? (int)(timeout_s * 1000) : 0);
    return ready > 0 ? NEXT_GONE : NEXT_LOOK;
}

static enum next obey_key(struct watch *watch, char key)
{
    if (key == 'q' || key == 'Q')
        return NEXT_END;
    if (key == 's')
        watch->view.order = (watch->view.order + 1) % TOP_ORDERS;
    return NEXT_LOOK;
}

/* Waits for the next look. */
static enum next wait_for_next(struct watch *watch)
{
    if (!watch->on_terminal)
        return wait_plainly(watch, watch->request.interval_s);
    char key;
    switch (terminal_wait(watch->request.interval_s, watch->process, &key)) {
    case TERMINAL_KEY:
        return obey_key(watch, key);
    case TERMINAL_QUIT:
        return NEXT_END;
    case TERMINAL_OTHER:
        return NEXT_GONE;
    default:
        return NEXT_LOOK;
    }
}

/* Returns 0 at the end asked for, -ESRCH when the process has ended, or another -errno. */
static int look_on(struct watch *watch, struct top_sample *now)
{
    struct top_sample before = {.taken = false};
    for (unsigned long looks = 0;;) {
        int result = show(watch, now, &before, looks == 0);
        if (result != 0 || ++looks == watch->request.count)
            return result;
        enum next next = wait_for_next(watch);
        if (next != NEXT_LOOK)
            return next == NEXT_END ? 0 : -ESRCH;
        before = *now;
        result = take_sample(watch, now);
        if (result != 0)
            return has_ended(watch) ? -ESRCH : result;
    }
}

static int look_on_terminal(struct watch *watch, struct top_sample *first)
{
    int result = terminal_begin();
    if (result != 0)
        return result;
    result = look_on(watch, first);
    terminal_end();
    return result;
}

static int watch_process(struct watch *watch, char **arguments)
{
    static struct top_sample sample;
    target_name(&watch->target, watch->name, sizeof watch->name);
    watch->view.program = watch->name;
    watch->process = (int)syscall(SYS_pidfd_open, watch->target.process_id, 0);
    int result = take_sample(watch, &sample);
    if (result == -EEXIST)
        elsewhere_start("top", arguments);
    if (result != 0)
        return fail(watch, result);
    watch->on_terminal = terminal_is_usable() && watch->request.count != 1;
    watch->view.colour = watch->on_terminal && getenv("NO_COLOR") == NULL;
    result = watch->on_terminal ? look_on_terminal(watch, &sample) : look_on(watch, &sample);
    if (result == -ESRCH)
        say("process %d has ended", watch->view.process_id);
    else if (result != 0)
        return fail(watch, result);
    /* Whoever asked for a number of looks did not get them all. */
    return result == -ESRCH && watch->request.count != 0 ? STATUS_FAILED : STATUS_DONE;
}

int top_watch(const struct top_request *request, char **arguments)
{
    static struct watch watch;
    watch.request = *request;
    watch.view.process_id = (int)request->process_id;
    watch.view.order = request->order;
    int result = target_attach(request->process_id, &watch.target);
    if (result != 0)
        return fail(&watch, result);
    int status = watch_process(&watch, arguments);
    target_detach(&watch.target);
    return status;
}
