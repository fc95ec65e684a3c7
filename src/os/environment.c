/*
 * os/environment: the environment, before libc has set itself up too.
 *
 * Locks: none.
 */
#include "os/environment.h"

#include <elf.h>
#include <stddef.h>
#include <sys/auxv.h>

extern char **environ;
extern void *__libc_stack_end __attribute__((weak));

/*
 * The loader's own first mallocs come before libc has set `environ`. The kernel's stack image then still lies above
 * __libc_stack_end: argc, argv, NULL, the environment, NULL.
 */
static char **first_environment(void)
{
    if (environ != NULL)
        return environ;
    if (&__libc_stack_end == NULL || __libc_stack_end == NULL)
        return NULL;
    long argument_count = *(long *)__libc_stack_end;
    return (char **)__libc_stack_end + 1 + argument_count + 1;
}

_Bool os_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}

/* The text behind "name=", or NULL. By hand, since it runs in every process and libc's would fault in pages of libc. */
static const char *value_of(const char *variable, const char *name)
{
    while (*name != '\0' && *variable == *name) {
        variable++;
        name++;
    }
    return *name == '\0' && *variable == '=' ? variable + 1 : NULL;
}

const char *os_environment_get(const char *name)
{
    char **variables = first_environment();
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++) {
        const char *value = value_of(variables[i], name);
        if (value != NULL)
            return value;
    }
    return NULL;
}
