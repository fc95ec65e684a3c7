/*
 * preload/loader: libraries that want their own malloc first.
 *
 * A library opened with RTLD_DEEPBIND finds libc's malloc and free before ours, while its program uses ours: libc's free()
 * then gets blocks of ours and crashes. (Debian's php opens every extension so.) Blocks of libc's we could pass on, but
 * nobody passes on ours; so the flag is taken off, and the library finds what everybody finds.
 *
 * The call is a jump: the loader looks at its caller's address for RUNPATH, $ORIGIN and the namespace, and has to see the
 * program's. (Compilers make it one from -O2 on.)
 *
 * dlclose() is wrapped for those who remember code by its address. libc itself unloads without it, now and then; that
 * is noticed the next time.
 *
 * libc's dlopen() is looked up at the first call, not at the start: the look-up brings pages of libc into every process,
 * and the loader's lock, which it takes, dlopen() takes as well.
 */
#include "leak/record.h"
#include "preload/export.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

typedef void *open_library(const char *file, int mode);
typedef int close_library(void *library);

static void *refuse(const char *file, int mode)
{
    (void)file;
    (void)mode;
    return NULL;
}

static open_library *find_dlopen(void)
{
    static open_library *_Atomic found;
    open_library *next = atomic_load_explicit(&found, memory_order_relaxed);
    if (next != NULL)
        return next;
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    next = next != NULL ? next : refuse;
    atomic_store_explicit(&found, next, memory_order_relaxed);
    return next;
}

static int refuse_to_close(void *library)
{
    (void)library;
    return -1;
}

static close_library *find_dlclose(void)
{
    static close_library *_Atomic found;
    close_library *next = atomic_load_explicit(&found, memory_order_relaxed);
    if (next != NULL)
        return next;
    *(void **)&next = dlsym(RTLD_NEXT, "dlclose");
    next = next != NULL ? next : refuse_to_close;
    atomic_store_explicit(&found, next, memory_order_relaxed);
    return next;
}

EXPORT void *dlopen(const char *file, int mode)
{
    open_library *next = find_dlopen();
    record_unloaded();
    return next(file, mode & ~RTLD_DEEPBIND);
}

EXPORT int dlclose(void *library)
{
    int result = find_dlclose()(library);
    record_unloaded();
    return result;
}
