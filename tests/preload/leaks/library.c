/*
 * leaks/library: what programs lose of what libc gives them, and how they lose it in usual code: `library CASE lose|keep`.
 * With `keep` the same is given back, or held as it may be. It ends with status 0 but for the leaks.
 */
#include "support/opaque.h"
#include "support/threads.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <iconv.h>
#include <ifaddrs.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

extern char **environ;

static void *volatile held; /* as long as the program runs */

static void end(bool loses, void *block)
{
    if (!loses)
        free(block);
}

/* ---- text ---- */

static void copied_text(bool loses)
{
    end(loses, opaque(strdup("some text")));
    end(loses, opaque(strndup("some text", 4)));
    end(loses, opaque(wcsdup(L"wide text")));
}

static void printed_text(bool loses)
{
    char *text = NULL;
    if (asprintf(&text, "%d and %s", 1, "more") > 0)
        end(loses, opaque(text));
}

static void line_read(bool loses)
{
    FILE *file = fopen("/proc/self/status", "r");
    char *line = NULL;
    size_t room = 0;
    if (file != NULL && getline(&line, &room, file) > 0)
        end(loses, opaque(line));
    if (file != NULL)
        fclose(file);
}

static void memory_stream(bool loses)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    fputs("written", stream);
    fclose(stream);
    end(loses, opaque(text));
}

static void current_folder(bool loses)
{
    end(loses, opaque(getcwd(NULL, 0)));
    end(loses, opaque(realpath("/proc/self/..", NULL)));
}

/* ---- what has a function of its own to free it ---- */

static void open_file(bool loses)
{
    FILE *file = opaque(fopen("/dev/null", "r"));
    held = loses ? NULL : file; /* stdio has a list of open files: nothing is ever lost */
}

static void open_folder(bool loses)
{
    DIR *folder = opaque(opendir("/"));
    if (!loses)
        closedir(folder);
}

static void names_that_match(bool loses)
{
    glob_t found;
    if (glob("/*", 0, NULL, &found) == 0 && !loses)
        globfree(&found);
    memset(&found, 0, sizeof found);
}

static void compiled_pattern(bool loses)
{
    regex_t pattern;
    if (regcomp(&pattern, "(a|b)*c[0-9]+", REG_EXTENDED) == 0 && !loses)
        regfree(&pattern);
    memset(&pattern, 0, sizeof pattern);
}

static void addresses(bool loses)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo("127.0.0.1", "80", &hints, &found) == 0 && !loses)
        freeaddrinfo(opaque(found));
}

static void interfaces(bool loses)
{
    struct ifaddrs *found = NULL;
    if (getifaddrs(&found) == 0 && !loses)
        freeifaddrs(opaque(found));
}

static void locale_object(bool loses)
{
    locale_t made = opaque(newlocale(LC_ALL_MASK, "C.UTF-8", NULL));
    locale_t copy = opaque(duplocale(made));
    if (!loses)
        freelocale(copy);
    freelocale(made);
}

/* All of this libc keeps itself. */
static void libcs_own(bool loses)
{
    setlocale(LC_ALL, "C.UTF-8");
    setenv("LEAKS_LIBRARY", loses ? "lost" : "kept", 1);
    putenv(opaque(strdup("LEAKS_LIBRARY_TOO=1")));
    iconv_t converter = iconv_open("UTF-16", "UTF-8");
    if (converter != (iconv_t)-1)
        iconv_close(converter);
    dlclose(dlopen("libm.so.6", RTLD_NOW));
    dlerror();
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void nothing_to_free(void *key)
{
    (void)key;
}

static void search_tree(bool loses)
{
    void *root = NULL;
    tsearch("one", &root, compare_texts);
    tsearch("two", &root, compare_texts);
    tsearch("three", &root, compare_texts);
    if (!loses)
        tdestroy(root, nothing_to_free);
}

/* ---- ways to lose a block ---- */

static void realloc_that_fails(bool loses)
{
    void *block = opaque(malloc(100));
    void *larger = realloc(block, opaque_size((size_t)1 << 60));
    if (larger == NULL && !loses)
        free(block);
}

static void early_return(bool loses)
{
    char *first = opaque(malloc(100));
    char *second = opaque(malloc(200));
    if (second != NULL && loses)
        return;
    free(second);
    free(first);
}

static void overwritten_in_a_loop(bool loses)
{
    char *block = NULL;
    for (int i = 0; i < 10; i++) {
        end(loses, block);
        block = opaque(malloc(64));
    }
    free(block);
}

/* Only the outer one is freed: what is in it becomes a head. */
struct outer {
    char *name;
    struct outer *next;
};

static void freed_from_outside(bool loses)
{
    struct outer *outer = opaque(malloc(sizeof *outer));
    outer->name = opaque(malloc(50));
    end(loses, outer->name);
    outer->name = NULL;
    free(outer);
}

static jmp_buf back;

__attribute__((noinline)) static void jump(bool loses)
{
    void *block = opaque(malloc(100));
    end(loses, block);
    longjmp(back, 1);
}

static void jumped_over(bool loses)
{
    if (setjmp(back) == 0)
        jump(loses);
}

static void on_signal(int number)
{
    (void)number;
}

static void beside_signals(bool loses)
{
    signal(SIGUSR1, on_signal);
    void *block = opaque(malloc(100));
    raise(SIGUSR1);
    end(loses, block);
}

/* ---- threads ---- */

static pthread_key_t key;

static void *use_key(void *argument)
{
    pthread_setspecific(key, opaque(malloc(100)));
    return argument;
}

/* A key without a destructor loses what threads have there when they end. */
static void thread_key(bool loses)
{
    pthread_t thread;
    pthread_key_create(&key, loses ? NULL : free);
    pthread_create(&thread, NULL, use_key, NULL);
    pthread_join(thread, NULL);
}

static _Atomic int ending_thread;

static void *take_and_end(void *argument)
{
    ending_thread = gettid();
    void *block = opaque(malloc(100));
    end(argument != NULL, block);
    return NULL;
}

static void detached_thread(bool loses)
{
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_create(&thread, &detached, take_and_end, loses ? &key : NULL);
    pthread_attr_destroy(&detached);
    thread_await_end(&ending_thread);
}

static void clean_up(void *block)
{
    free(block);
}

static void *wait_for_end(void *argument)
{
    void *block = opaque(malloc(100));
    pthread_cleanup_push(clean_up, argument != NULL ? NULL : block);
    block = NULL;
    pause();
    pthread_cleanup_pop(1);
    return NULL;
}

static void cancelled_thread(bool loses)
{
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_end, loses ? &key : NULL);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
}

/* ---- processes, the end ---- */

static void free_held(void)
{
    free(held);
    held = NULL;
}

static void forget_held(void)
{
    held = NULL;
}

static void at_the_end(bool loses)
{
    held = malloc(100);
    atexit(loses ? forget_held : free_held);
}

static void spawned(bool loses)
{
    char *arguments[] = {(char *)(uintptr_t)"true", NULL};
    pid_t child;
    int status;
    void *block = opaque(malloc(100));
    if (posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0)
        waitpid(child, &status, 0);
    child = vfork();
    if (child == 0)
        _exit(0);
    waitpid(child, &status, 0);
    end(loses, block);
}

static const struct library_case {
    const char *name;
    void (*run)(bool loses);
    int heads; /* that are lost; 0 where libc holds them all the same */
} cases[] = {
    {"copied_text", copied_text, 3},
    {"printed_text", printed_text, 1},
    {"line_read", line_read, 1},
    {"memory_stream", memory_stream, 1},
    {"current_folder", current_folder, 2},
    {"open_file", open_file, 0},
    {"open_folder", open_folder, 1},
    {"names_that_match", names_that_match, 1},
    {"compiled_pattern", compiled_pattern, -1},
    {"addresses", addresses, 1},
    {"interfaces", interfaces, 1},
    {"locale_object", locale_object, 1},
    {"libcs_own", libcs_own, 0},
    {"search_tree", search_tree, 1},
    {"realloc_that_fails", realloc_that_fails, 1},
    {"early_return", early_return, 2},
    {"overwritten_in_a_loop", overwritten_in_a_loop, 9},
    {"freed_from_outside", freed_from_outside, 1},
    {"jumped_over", jumped_over, 1},
    {"beside_signals", beside_signals, 1},
    {"thread_key", thread_key, 1},
    {"detached_thread", detached_thread, 1},
    {"cancelled_thread", cancelled_thread, 1},
    {"at_the_end", at_the_end, 1},
    {"spawned", spawned, 1},
};

/* What calls have left on the stack must hold nothing. */
__attribute__((noinline)) static void wipe_stack(void)
{
    char bytes[65536];
    memset(bytes, 0, sizeof bytes);
    opaque(bytes);
}

int main(int count, char **arguments)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (count == 1)
            printf("%s %d\n", cases[i].name, cases[i].heads);
        else if (strcmp(arguments[1], cases[i].name) == 0)
            cases[i].run(strcmp(arguments[2], "lose") == 0);
    }
    wipe_stack();
    return 0;
}
