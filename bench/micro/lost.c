/*
 * bench/micro/lost: loses a million blocks in shapes that programs make, and holds as many until the end: for what looks for leaks
 * (bench/leaks.py). Prints how many blocks of how many bytes it has lost.
 */
#include "bench/micro/pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

enum { LENGTH = 100, BATCHES = 10000, EVENTS = 64, STACK_BYTES = 16384 };

struct node {
    struct node *next;
    struct node *back;
    uint64_t value[4];
};

static struct node **held;

static __attribute__((noinline)) struct node *make_list(void)
{
    struct node *first = NULL;

    for (size_t i = 0; i < LENGTH; i++) {
        struct node *node = calloc(1, sizeof *node);

        if (node == NULL)
            pattern_die("calloc");
        node->next = first;
        node->value[0] = i;
        if (first != NULL)
            first->back = node;
        first = node;
    }
    return first;
}

static __attribute__((noinline)) struct node *make_ring(void)
{
    struct node *first = make_list();
    struct node *last = first;

    while (last->next != NULL)
        last = last->next;
    last->next = first;
    return first;
}

static __attribute__((noinline)) struct node *make_tree(size_t count)
{
    struct node *node = calloc(1, sizeof *node);

    if (node == NULL)
        pattern_die("calloc");
    node->value[0] = count;
    if (count > 1)
        node->next = make_tree((count - 1) / 2);
    if (count > 2)
        node->back = make_tree(count - 1 - (count - 1) / 2);
    return node;
}

static struct node *make(size_t batch)
{
    return batch % 3 == 0 ? make_list() : batch % 3 == 1 ? make_ring() : make_tree(LENGTH);
}

static __attribute__((noinline)) uint64_t lose(size_t batches)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < batches; i++)
        sum += make(i)->value[0];
    return sum;
}

/* Nobody but the kernel knows these. */
static __attribute__((noinline)) void give_to_the_kernel(void)
{
    int epoll = epoll_create1(0);

    for (int i = 0; i < EVENTS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = make_list()}};
        int other = epoll_create1(0);

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, other, &event) != 0)
            pattern_die("epoll_ctl");
    }
}

/* What calls have left there would hold some of what is lost. */
static __attribute__((noinline)) void clear_stack(void)
{
    char bytes[STACK_BYTES];

    memset(bytes, 0, sizeof bytes);
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t batches;

    pattern_begin(argc, argv);
    batches = pattern_times(BATCHES);
    held = calloc(batches, sizeof *held);
    for (size_t i = 0; i < batches; i++)
        held[i] = make(i);
    give_to_the_kernel();
    sum += lose(batches);
    clear_stack();
    printf("lost %zu blocks of %zu bytes\n", batches * LENGTH, batches * LENGTH * sizeof(struct node));
    return pattern_end(sum);
}
