/*
 * preload/start: what happens when the library is loaded, and when the program has ended.
 *
 * The heap starts with the first malloc, which comes before this constructor; here only what needs libc is set up.
 */
#include "base/compiler.h"
#include "base/message.h"
#include "base/options.h"
#include "gc/trigger.h"
#include "gc/quarantine.h"
#include "gc/region.h"
#include "heap/foreign.h"
#include "heap/thread.h"
#include "leak/check.h"
#include "leak/past.h"
#include "leak/record.h"
#include "os/thread.h"
#include "preload/leaks.h"
#include "own/repeats.h"
#include "own/scan.h"
#include "own/self.h"
#include "preload/fault.h"
#include "preload/report.h"
#include "preload/stop_often.h"
#include "preload/verbose.h"

#include <dlfcn.h>
#include <stdlib.h>

int __cxa_atexit(void (*function)(void *), void *argument, void *object);

/* libc's own malloc family, which ours hides. Looked up the first time a block of libc's is met. */
COLD static const struct foreign_heap *find_libc_heap(void)
{
    static struct foreign_heap libc;
    static _Bool looked;
    if (!looked) {
        *(void **)&libc.realloc = dlsym(RTLD_NEXT, "realloc");
        *(void **)&libc.usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
        *(void **)&libc.free = dlsym(RTLD_NEXT, "free");
        looked = 1;
    }
    return libc.free != NULL && libc.realloc != NULL && libc.usable_size != NULL ? &libc : NULL;
}

static void at_exit(void *argument)
{
    (void)argument;
    if (options_now()->check != CHECK_OFF)
        gca_report_borrows();
    repeats_say();
    report_at_exit();
}

static void record_stacks(const struct options *options)
{
    enum { USUAL_FRAMES = 32, GUARDED_FRAMES = 16 };
    bool records_all = options->stacks != 0 || options->sample != 0 || options->leaks || options->lifetimes;
    if (!records_all && options->guard_sample == 0)
        return;
    uint32_t frames_max = options->stacks != 0 ? (uint32_t)options->stacks : USUAL_FRAMES;
    int result = records_all ? record_start(frames_max, options->sample, true) : record_start_guarded(GUARDED_FRAMES);
    if (result == 0 && options->lifetimes)
        result = record_count_lives();
    if (result == 0)
        past_start();
    else
        message_warn(
            "options \"stacks\", \"sample\" and \"guard_sample\": call stacks can't be recorded here, error %d",
            -result);
}

/*
 * -z initfirst runs this before every other constructor, and exit handlers run newest first: ours, registered for no
 * object, comes after all user code.
 */
__attribute__((constructor)) static void start(void)
{
    foreign_register(find_libc_heap);
    struct thread_heap *heap = thread_heap_get();
    thread_heap_done(heap);
    int result = options_now()->gc ? trigger_start() : 0;
    int quarantine_result = options_now()->quarantine ? quarantine_start() : 0;
    region_is_on = (options_now()->gc && result == 0) ||
                   (options_now()->quarantine && quarantine_result == 0);
    if ((region_is_on && options_now()->quarantine) || options_now()->guard_sample != 0)
        fault_start();
    if (region_is_on && options_now()->stop_every_us != 0)
        stop_often_start();
    if (result != 0)
        message_warn("option \"gc\": threads can't be stopped here, error %d", -result);
    if (quarantine_result != 0)
        message_warn("option \"quarantine\": threads can't be stopped here, error %d", -quarantine_result);
    record_stacks(options_now());
    if (options_now()->check != CHECK_OFF) {
        own_start();
        region_is_on = scan_start() == 0 || region_is_on;
    }
    __cxa_atexit(at_exit, NULL, NULL);
    if (options_now()->leaks) {
        leaks_start();
        region_is_on = region_is_on || check_is_on();
    }
    if ((options_now()->stats || options_now()->leaks) && options_now()->log_file[0] == '\0')
        message_keep_output();
    if (options_now()->verbose != 0)
        verbose_at_start();
}
