/* os/environment: the environment, before libc has set itself up too. */
#ifndef OS_ENVIRONMENT_H
#define OS_ENVIRONMENT_H

/* True in a program that runs with more rights than who started it: then the environment is not to be trusted. */
_Bool os_is_privileged(void);

/* The value of a variable, or NULL. It lies in the program's own environment: read it at once. */
const char *os_environment_get(const char *name);

#endif
