/* os/environment: the environment, before libc has set itself up too. */
#ifndef OS_ENVIRONMENT_H
#define OS_ENVIRONMENT_H

/* The value of a variable, or NULL. It lies in the program's own environment: read it at once. */
const char *os_environment_get(const char *name);

#endif
