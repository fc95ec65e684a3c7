/* What is wrong with objects, by name: ownership.py says what must be reported of each. */
#include "gcalloc.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct node {
    struct node *left, *right;
    int value;
};

GCA_TYPE(struct node, GCA_POINTERS(struct node, left, right));

/* The compiler would see through some of these. */
static void *volatile kept;

static void *hidden(void *pointer)
{
    kept = pointer;
    return kept;
}

static void say(const void *object)
{
    printf("%p\n", object);
    fflush(stdout);
}

static void *in_a_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, function, argument);
    pthread_join(thread, &result);
    return result;
}

static struct node *make(void)
{
    struct node *node = hidden(gca_new(struct node));
    say(node);
    return node;
}

static struct node *make_counted(void)
{
    struct node *node = hidden(gca_rc_new(struct node));
    say(node);
    return node;
}

/* ---- owners ---- */

static void dropped_twice(void)
{
    struct node *node = make();
    gca_drop(node);
    gca_drop(kept);
}

struct suicide {
    int value;
};

static void free_oneself(void *object)
{
    free(object);
}

GCA_TYPE(struct suicide, .drop = free_oneself);

static void freed_by_its_function(void)
{
    struct suicide *object = hidden(gca_new(struct suicide));
    say(object);
    gca_drop(object);
}

/* So much that the memory which tells what it was is gone as well. */
enum { LEMMINGS = 1000 };

struct lemming {
    char bytes[4000];
};

static struct lemming *lemmings[LEMMINGS];

static void free_all(void *object)
{
    (void)object;
    for (size_t i = 0; i < LEMMINGS; i++)
        free(lemmings[i]);
    memset(lemmings, 0, sizeof lemmings);
    malloc_trim(0);
}

GCA_TYPE(struct lemming, .drop = free_all);

static void freed_with_all_others(void)
{
    for (size_t i = 0; i < LEMMINGS; i++)
        lemmings[i] = gca_new(struct lemming);
    struct lemming *object = hidden(lemmings[LEMMINGS / 2]);
    say(object);
    gca_drop(object);
}

static void drop_of_the_stack(void)
{
    int local = 0;
    say(&local);
    gca_drop(hidden(&local));
}

static void owns_itself(void)
{
    struct node *node = make(), *other = hidden(gca_new(struct node));
    gca_own(other, node);
    gca_own(node, other);
    gca_drop(node);
}

static void counted_is_owned(void)
{
    struct node *node = make_counted(), *owner = hidden(gca_new(struct node));
    gca_own(node, owner);
    gca_drop(owner);
    gca_release(node);
}

static void owner_is_freed(void)
{
    struct node *node = make();
    gca_own(gca_new(struct node), node);
    gca_own(gca_new(struct node), node);
    free(node);
}

/* ---- references ---- */

static void released_too_often(void)
{
    struct node *node = make_counted();
    gca_release(node);
    gca_release(kept);
}

static void retained_too_late(void)
{
    struct node *node = make_counted();
    gca_release(node);
    gca_retain((struct node *)kept);
}

static void counted_is_freed(void)
{
    struct node *node = make_counted();
    gca_retain(node);
    free(node);
    gca_release(node);
    gca_release(node);
}

static void counted_is_resized(void)
{
    struct node *node = make_counted();
    gca_retain(node);
    if (realloc(node, 1000) != NULL)
        puts("resized");
    gca_release(node);
    gca_release(node);
}

static void plain_is_released(void)
{
    struct node *node = make();
    gca_release(node);
    gca_drop(node);
}

/* ---- borrows ---- */

static void two_writers(void)
{
    struct node *node = make();
    struct node *one = gca_borrow_mut(node); /* @first */
    struct node *two = gca_borrow_mut(node); /* @second */
    gca_end_mut(two);
    gca_end_mut(one);
    gca_drop(node);
}

static void fork_a_child_that_ends(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        exit(0);
    waitpid(child, NULL, 0);
}

/* One mistake, many times. Of which a child that makes none has nothing to say. */
static void write_in_a_loop(void)
{
    struct node *node = make();
    struct node *one = gca_borrow_mut(node); /* @outer */
    for (int i = 0; i < 500; i++) {
        gca_borrow(node); /* @inner */
        gca_end(node);
    }
    gca_end_mut(one);
    gca_drop(node);
    fork_a_child_that_ends();
}

static void write_beside_readers(void)
{
    struct node *node = make();
    gca_with(one, node);
    gca_with(two, node); /* @reader */
    gca_with_mut(three, node); /* @writer */
    three->value = one->value + two->value;
}

static void freed_while_borrowed(void)
{
    char *block = hidden(malloc(40));
    say(block);
    const char *reader = gca_borrow(block); /* @borrow */
    free(block);
    gca_end(reader);
    free(block);
}

static void resized_while_borrowed(void)
{
    char *block = hidden(malloc(40));
    say(block);
    const char *reader = gca_borrow(block); /* @resized */
    if (realloc(block, 4000) != NULL)
        puts("resized");
    gca_end(reader);
    free(block);
}

static void dropped_while_borrowed(void)
{
    struct node *node = make();
    const struct node *reader = gca_borrow(node); /* @dropped */
    const struct node *volatile again = reader;
    gca_drop(node);
    gca_end(again);
    gca_drop(kept);
}

static void borrow_never_ended(void)
{
    struct node *node = make();
    gca_borrow(node); /* @forever */
}

static void *borrow_for_ever(void *node)
{
    gca_borrow((struct node *)node); /* @thread */
    return NULL;
}

static void thread_ends_with_a_borrow(void)
{
    in_a_thread(borrow_for_ever, make());
}

static void ended_twice(void)
{
    struct node *node = make();
    const struct node *reader = gca_borrow(node);
    gca_end(reader);
    gca_end(reader); /* @again */
    gca_drop(node);
}

static void borrow_of_the_dead(void)
{
    struct node *node = make();
    gca_drop(node);
    struct node *dead = kept;
    const struct node *reader = gca_borrow(dead); /* @dead */
    gca_end(reader);
}

static void changed_while_borrowed(void)
{
    struct node *node = make();
    const struct node *reader = gca_borrow(node); /* @watching */
    gca_assert_unborrowed(node);                  /* @changing */
    gca_end(reader);
    gca_drop(node);
}

/* ---- threads ---- */

static void *borrow_it(void *node)
{
    gca_with(reader, (struct node *)node); /* @foreign */
    return (void *)(size_t)reader->value;
}

static void used_by_another_thread(void)
{
    struct node *node = make();
    gca_bind(node);
    in_a_thread(borrow_it, node);
    gca_drop(node);
}

static void *receive_it(void *node)
{
    gca_receive(node);
    return NULL;
}

static void received_unsent(void)
{
    struct node *node = make();
    gca_bind(node);
    in_a_thread(receive_it, node);
    gca_drop(node);
}

/* ---- indices ---- */

static void index_outside(void)
{
    int *numbers = hidden(malloc(64));
    say(numbers);
    int index = 16;
    __asm__ volatile("" : "+r"(index));
    numbers[0] = 1;
    printf("%p\n", (void *)&gca_at(numbers, index)); /* @index */
    free(numbers);
}

/* ---- what only an audit finds ---- */

static struct node *held; /* where an audit sees it */

static __attribute__((noinline)) void hide_from_the_stack(void)
{
    volatile char cleared[4096];
    memset((char *)cleared, 0, sizeof cleared);
}

static __attribute__((noinline)) void own_unseen(void)
{
    gca_own(gca_new(struct node), held);
    kept = NULL;
}

static void unreferenced_but_owned(void)
{
    held = make();
    own_unseen();
    hide_from_the_stack();
    gca_audit_report();
    gca_drop(held);
}

static __attribute__((noinline)) void own_seen(struct node *owner)
{
    held = gca_new(struct node);
    say(held);
    gca_own(held, owner);
}

static void owner_gone(void)
{
    struct node *owner = gca_new(struct node);
    own_seen(owner);
    free(owner);
    gca_audit_report();
    gca_drop(held);
}

static __attribute__((noinline)) void count_too_often(void)
{
    held = make_counted();
    kept = NULL;
    for (int i = 0; i < 10; i++)
        gca_retain(held);
}

static void count_above(void)
{
    count_too_often();
    hide_from_the_stack();
    gca_audit_report();
}

static struct node *volatile others[3];

static void count_below(void)
{
    held = make_counted();
    for (int i = 0; i < 3; i++) {
        others[i] = gca_rc_new(struct node);
        others[i]->left = held; /* three references, and one was counted */
    }
    gca_audit_report();
}

static void borrow_without_end(void)
{
    held = make();
    const struct node *reader = gca_borrow(held);
    gca_audit_report();
    gca_end(reader);
    gca_drop(held);
}

static void into_a_dead_arena(void)
{
    gca_arena *arena = gca_arena_new(&(gca_arena_options){.name = "requests"});
    held = make();
    held->right = gca_arena_make(arena, struct node);
    say(held->right);
    gca_arena_free(arena); /* reported, with the option check */
    gca_audit_report();
    held->right = NULL;
    gca_drop(held);
}

/* What is right: nothing may be said. */
static void right(void)
{
    struct node *node = make();
    {
        gca_with(reader, node);
        gca_with(again, node);
        if (reader != again)
            abort();
    }
    gca_with_mut(writer, node);
    writer->left = gca_new(struct node);
    gca_end_mut(writer);
    writer = NULL;
    void *moved = realloc(node, 3000);
    if (strcmp(gca_type_of(moved)->name, "struct node") != 0)
        abort();
    gca_drop(moved);
}

static const struct {
    const char *name;
    void (*function)(void);
} cases[] = {
#define CASE(name) {#name, name}
    CASE(dropped_twice),
    CASE(freed_by_its_function),
    CASE(freed_with_all_others),
    CASE(drop_of_the_stack),
    CASE(owns_itself),
    CASE(counted_is_owned),
    CASE(owner_is_freed),
    CASE(released_too_often),
    CASE(retained_too_late),
    CASE(counted_is_freed),
    CASE(counted_is_resized),
    CASE(plain_is_released),
    CASE(two_writers),
    CASE(write_in_a_loop),
    CASE(write_beside_readers),
    CASE(freed_while_borrowed),
    CASE(resized_while_borrowed),
    CASE(dropped_while_borrowed),
    CASE(borrow_never_ended),
    CASE(thread_ends_with_a_borrow),
    CASE(ended_twice),
    CASE(borrow_of_the_dead),
    CASE(changed_while_borrowed),
    CASE(used_by_another_thread),
    CASE(received_unsent),
    CASE(index_outside),
    CASE(unreferenced_but_owned),
    CASE(owner_gone),
    CASE(count_above),
    CASE(count_below),
    CASE(borrow_without_end),
    CASE(into_a_dead_arena),
    CASE(right),
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
            cases[i].function();
            puts("survived");
            return gca_heap_verify() == 0 ? 0 : 3;
        }
    return 2;
}
