/* tools/preload_env: the two environment variables that put a program on gcalloc. Both functions
 * return 0 or -errno. */
#ifndef TOOLS_PRELOAD_ENV_H
#define TOOLS_PRELOAD_ENV_H

#include <stdbool.h>
#include <stddef.h>

/* Puts the library before what LD_PRELOAD already holds. -EINVAL: LD_PRELOAD cannot carry such a
 * path. */
int preload_env_add_library(const char *library);

/* Adds "key=value,..." after what GCALLOC_OPTIONS already holds; what comes later wins. */
int preload_env_add_options(const char *options);

/* True when an option of that name is in GCALLOC_OPTIONS with a value. */
bool preload_env_has_value(const char *option);

/* The same with the value that counts, the last one, cut to the size. */
bool preload_env_value(const char *option, char *value_out, size_t size_bytes);

#endif
