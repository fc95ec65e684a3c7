/*
 * preload/loader: libraries that want their own malloc first.
 *
 * A library opened with RTLD_DEEPBIND finds libc's malloc and free before ours, while its program uses ours: libc's free()
 * then gets blocks of ours and crashes. (Debian's php opens every extension so.) Blocks of libc's we could pass on, but
 * nobody passes on ours; so the flag is taken off, and the library finds what everybody finds.
 *
 * The call is a jump: the loader looks at its caller's address for RUNPATH, $ORIGIN and the namespace, and has to see the
 * program's. (Compilers make it one from -O2 on.)
 */
#include "base/compiler.h"
#include "preload/export.h"

#include <dlfcn.h>
#include <stddef.h>

typedef void *open_library(const char *file, int mode);

static open_library *libc_dlopen;

__attribute__((constructor)) static void find_dlopen(void)
{
    *(void **)&libc_dlopen = dlsym(RTLD_NEXT, "dlopen");
}

/* A constructor that runs before ours, of a preloaded library, may open others. */
COLD static void *open_early(const char *file, int mode)
{
    find_dlopen();
    return libc_dlopen != NULL ? libc_dlopen(file, mode) : NULL;
}

EXPORT void *dlopen(const char *file, int mode)
{
    open_library *next = LIKELY(libc_dlopen != NULL) ? libc_dlopen : open_early;
    return next(file, mode & ~RTLD_DEEPBIND);
}
