/*
 * preload/wrap_thread: while the collector is on, a new thread says where its stack lies before it does anything else.
 */
#include "base/compiler.h"
#include "gc/threads.h"
#include "preload/export.h"
#include "preload/next.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct start {
    void *(*function)(void *);
    void *argument;
};

/* Tells where the thread's stack lies, which can be asked here, not in the wrappers: it allocates. */
COLD static void register_thread(void)
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
}

COLD static void *run(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    register_thread();
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
    *start = (struct start){function, argument};
    int result = (int)create((long)thread, (long)attributes, (long)run, (long)start, 0, 0, 0);
    if (result != 0)
        free(start);
    return result;
}
