/*
 * os/environment: the environment, before libc has set itself up too.
 *
 * Locks: none.
 */
#include "os/environment.h"

#include <stddef.h>
#include <string.h>

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

const char *os_environment_get(const char *name)
{
    size_t length = strlen(name);
    char **variables = first_environment();
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++)
        if (strncmp(variables[i], name, length) == 0 && variables[i][length] == '=')
            return variables[i] + length + 1;
    return NULL;
}
