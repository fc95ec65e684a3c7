/* main ends by pthread_exit; the program lives on in its other threads, where /proc/self/maps now reads empty. */
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t main_thread;
static void *of_main;

static void *live_on(void *unused)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *(*libc_malloc)(size_t) = (void *(*)(size_t))dlsym(libc, "malloc");
    int status = -1;
    pid_t child;

    pthread_join(main_thread, NULL);
    require(pattern_holds(of_main, 3000, 2));
    free(of_main);
    workload_run(1, 5000);
    free(libc_malloc(100));
    child = fork();
    if (child == 0) {
        workload_run(2, 1000);
        require(subject_verify());
        _exit(0);
    }
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    require(subject_verify());
    exit(0);
    return unused;
}

int main(int count, char **arguments)
{
    pthread_t thread;

    (void)count;
    subject_require(arguments);
    of_main = malloc(3000);
    pattern_fill(of_main, 3000, 2);
    main_thread = pthread_self();
    require(pthread_create(&thread, NULL, live_on, NULL) == 0);
    pthread_exit(NULL);
}
