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

static int refuse_to_close(void *library)
{
    (void)library;
    return -1;
}

typedef void any_function(void);

/* libc's function, looked up once and kept; if there is none, what stands in for it. */
static any_function *find(any_function *_Atomic *found, const char *name, any_function *refusal)
{
    any_function *next = atomic_load_explicit(found, memory_order_relaxed);
    if (next != NULL)
        return next;
    *(void **)&next = dlsym(RTLD_NEXT, name);
    next = next != NULL ? next : refusal;
    atomic_store_explicit(found, next, memory_order_relaxed);
    return next;
}

EXPORT void *dlopen(const char *file, int mode)
{
    static any_function *_Atomic found;
    open_library *next = (open_library *)find(&found, "dlopen", (any_function *)refuse);
    record_unloaded();
    return next(file, mode & ~RTLD_DEEPBIND);
}

EXPORT int dlclose(void *library)
{
    static any_function *_Atomic found;
    close_library *next = (close_library *)find(&found, "dlclose", (any_function *)refuse_to_close);
    int result = next(library);
    record_unloaded();
    return result;
}
