/*
 * preload/wrap_thread: while the collector is on, or leaks are looked for, a new thread says where its stack lies before it
 * does anything else.
 */
#include "base/compiler.h"
#include "gc/threads.h"
#include "leak/ended.h"
#include "preload/export.h"
#include "preload/next.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct start {
    void *(*function)(void *);
    void *argument;
    bool is_libcs_stack;
};

/* A stack of the program's own may serve something else when the thread has ended. */
COLD static bool has_libcs_stack(const pthread_attr_t *attributes)
{
    void *stack = NULL;
    size_t size_bytes = 0;
    region_function *get_stack = (region_function *)next_function(NEXT_pthread_attr_getstack);
    return attributes == NULL ||
           (int)get_stack((long)attributes, (long)&stack, (long)&size_bytes, 0, 0, 0, 0) != 0 ||
           (intptr_t)stack <= 0; /* libc has no address, and subtracts the size from none */
}

/* Tells where the thread's stack lies, which can be asked here, not in the wrappers: it allocates. */
COLD static void register_thread(bool is_libcs_stack)
{
    pthread_attr_t attributes;
    void *stack = NULL;
    size_t size_bytes = 0;
    region_function *get = (region_function *)next_function(NEXT_pthread_getattr_np);
    region_function *get_stack = (region_function *)next_function(NEXT_pthread_attr_getstack);
    region_function *destroy = (region_function *)next_function(NEXT_pthread_attr_destroy);
    if ((int)get((long)pthread_self(), (long)&attributes, 0, 0, 0, 0, 0) == 0) {
        if ((int)get_stack((long)&attributes, (long)&stack, (long)&size_bytes, 0, 0, 0, 0) != 0)
            stack = NULL;
        destroy((long)&attributes, 0, 0, 0, 0, 0, 0);
    }
    thread_register((uintptr_t)stack, stack != NULL ? (uintptr_t)stack + size_bytes : 0);
    if (stack != NULL && is_libcs_stack)
        ended_watch((uintptr_t)stack, (uintptr_t)stack + size_bytes);
}

COLD static void *run(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    register_thread(start.is_libcs_stack);
    void *result = start.function(start.argument);
    thread_unregister();
    return result;
}

EXPORT int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                          void *(*function)(void *), void *restrict argument)
{
    region_function *create = (region_function *)next_function(NEXT_pthread_create);
    struct start *start = UNLIKELY(region_is_on) ? malloc(sizeof *start) : NULL;
    if (LIKELY(start == NULL))
        return (int)create((long)thread, (long)attributes, (long)function, (long)argument, 0, 0, 0);
    *start = (struct start){function, argument, has_libcs_stack(attributes)};
    int result = (int)create((long)thread, (long)attributes, (long)run, (long)start, 0, 0, 0);
    if (result != 0)
        free(start);
    return result;
}

EXPORT int pthread_join(pthread_t thread, void **value_out)
{
    region_function *join = (region_function *)next_function(NEXT_pthread_join);
    int result = (int)join((long)thread, (long)value_out, 0, 0, 0, 0, 0);
    if (UNLIKELY(region_is_on) && result == 0)
        ended_joined((uintptr_t)thread);
    return result;
}
