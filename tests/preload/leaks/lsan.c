/*
 * LeakSanitizer's interface, as a program that was made for it uses it. What it does is said by its argument.
 */
#include "support/require.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void __lsan_disable(void);
void __lsan_enable(void);
void __lsan_ignore_object(const void *block);
void __lsan_register_root_region(const void *start, size_t size_bytes);
void __lsan_unregister_root_region(const void *start, size_t size_bytes);
void __lsan_do_leak_check(void);
int __lsan_do_recoverable_leak_check(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);
int __lsan_is_turned_off(void);

static const char *what = "";

const char *__lsan_default_options(void)
{
    return "exitcode=77:max_leaks=3";
}

const char *__lsan_default_suppressions(void)
{
    return "leak:lose_by_default\n";
}

int __lsan_is_turned_off(void)
{
    return strcmp(what, "off") == 0;
}

__attribute__((noinline)) static void lose(void)
{
    char *volatile block = malloc(100);
    require(block != NULL);
}

__attribute__((noinline)) static void lose_by_default(void)
{
    char *volatile block = malloc(200); /* no jump to malloc() instead of a call */
    require(block != NULL);
}

__attribute__((noinline)) static void clear_stack(void)
{
    volatile char room[16384];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

int main(int count, char **arguments)
{
    require(count == 2);
    what = arguments[1];
    if (strcmp(what, "lost") == 0 || strcmp(what, "off") == 0)
        lose();
    if (strcmp(what, "disabled") == 0) {
        __lsan_disable();
        lose();
        __lsan_enable();
    }
    if (strcmp(what, "ignored") == 0)
        __lsan_ignore_object(malloc(20));
    if (strcmp(what, "suppressed") == 0)
        lose_by_default();
    if (strcmp(what, "check") == 0) {
        lose();
        clear_stack();
        __lsan_do_leak_check();
        printf("it goes on\n");
    }
    if (strcmp(what, "recoverable") == 0) {
        require(__lsan_do_recoverable_leak_check() == 0);
        lose();
        clear_stack();
        require(__lsan_do_recoverable_leak_check() != 0);
        printf("it goes on\n");
    }
    if (strcmp(what, "region") == 0) {
        static char region[64];
        __lsan_register_root_region(region, sizeof region);
        __lsan_unregister_root_region(region, sizeof region);
    }
    return 0;
}
