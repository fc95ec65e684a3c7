/*
 * preload/lsan: LeakSanitizer's interface (sanitizer/lsan_interface.h), so that programs which use it link, and are told
 * of their leaks.
 */
#include "preload/lsan.h"

#include "base/options.h"
#include "gc/region.h"
#include "gc/roots.h"
#include "leak/check.h"
#include "leak/record.h"
#include "leak/suppress.h"
#include "preload/export.h"
#include "preload/leaks.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

typedef const char *get_text(void);
typedef int get_number(void);

EXPORT void __lsan_disable(void)
{
    record_ignore(1);
}

EXPORT void __lsan_enable(void)
{
    record_ignore(-1);
}

EXPORT void __lsan_ignore_object(const void *block)
{
    record_ignore_block(block);
}

EXPORT void __lsan_register_root_region(const void *start, size_t size_bytes)
{
    roots_add(start, size_bytes);
}

EXPORT void __lsan_unregister_root_region(const void *start, size_t size_bytes)
{
    (void)size_bytes;
    roots_remove(start);
}

/* As at the end of the program, which it is if there are leaks; there is no other check then. */
EXPORT void __lsan_do_leak_check(void)
{
    int status = leaks_check_last();
    if (status != 0)
        _exit(status);
}

EXPORT int __lsan_do_recoverable_leak_check(void)
{
    struct check_result result;
    if (!check_is_on() || !region_is_on || lsan_is_turned_off())
        return 0;
    return check_now(CHECK_ASKED, &result) == 0 && result.definite.blocks != 0;
}

/* What the program defines, if it shows that. */
static void *find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

bool lsan_is_turned_off(void)
{
    get_number *function;
    *(void **)&function = find("__lsan_is_turned_off");
    return function != NULL && function() != 0;
}

void lsan_start(void)
{
    get_text *function;
    *(void **)&function = find("__lsan_default_options");
    const char *text = function != NULL ? function() : NULL;
    if (text != NULL)
        options_load_with(text);
    *(void **)&function = find("__lsan_default_suppressions");
    text = function != NULL ? function() : NULL;
    if (text != NULL)
        suppress_add_text(text, strlen(text), "__lsan_default_suppressions");
}
