/*
 * leaks/shapes: what a program may lose.
 */
#include "preload/leaks/shapes.h"

#include "support/require.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 50, LONG = 100000, WIDE = 64, LEVELS = 7 };

struct node {
    struct node *left;
    struct node *right;
    char text[24];
};

static void *need(void *block)
{
    require(block != NULL);
    return block;
}

static struct node *new_node(struct node *left, struct node *right)
{
    struct node *node = need(malloc(sizeof *node));
    node->left = left;
    node->right = right;
    memset(node->text, 'x', sizeof node->text);
    return node;
}

static void *single(void)
{
    return memset(need(malloc(40)), 1, 40);
}

static void *empty(void)
{
    return need(malloc(0));
}

static void *zeroed(void)
{
    return need(calloc(3, 100));
}

static void *grown(void)
{
    char *block = NULL;
    for (size_t i = 1; i < 3000; i = i * 3 / 2 + 1)
        block = memset(need(realloc(block, i)), 2, i);
    return block;
}

static void *aligned(void)
{
    return need(aligned_alloc(4096, 8192));
}

static void *large(void)
{
    void **block = need(calloc(1, 200000));
    block[12345] = single();
    return block;
}

static void *huge(void)
{
    void **block = need(calloc(1, 5 << 20));
    block[500000] = single();
    block[1] = block;
    return block;
}

static void *text(void)
{
    return need(strdup("a text that strdup copied"));
}

static void *printed(void)
{
    char *result = NULL;
    require(asprintf(&result, "number %d", 17) > 0);
    return result;
}

static void *list_of(size_t length)
{
    struct node *first = NULL;
    for (size_t i = 0; i < length; i++)
        first = new_node(first, NULL);
    return first;
}

static void *list(void)
{
    return list_of(LENGTH);
}

static void *long_list(void)
{
    return list_of(LONG);
}

static void *ring(void)
{
    struct node *first = new_node(NULL, NULL);
    struct node *last = first;
    for (size_t i = 1; i < LENGTH; i++) {
        last->right = new_node(last, NULL);
        last = last->right;
    }
    last->right = first;
    first->left = last;
    return first;
}

static void *self(void)
{
    struct node *node = new_node(NULL, NULL);
    node->left = node;
    return node;
}

/* Two rings, one of which leads to the other. */
static void *rings(void)
{
    struct node *first = ring();
    memcpy(first->text, &(void *){ring()}, sizeof(void *));
    return first;
}

static struct node *tree_of(unsigned levels)
{
    return levels == 0 ? NULL : new_node(tree_of(levels - 1), tree_of(levels - 1));
}

static void *tree(void)
{
    return tree_of(LEVELS);
}

static void *table(void)
{
    void **rows = need(malloc(WIDE * sizeof *rows));
    for (size_t i = 0; i < WIDE; i++)
        rows[i] = memset(need(malloc(8 * i + 1)), 3, 8 * i + 1);
    return rows;
}

/* Two ways to everything. */
static void *lattice(void)
{
    struct node *below = new_node(NULL, NULL);
    for (size_t i = 0; i < LENGTH / 2; i++)
        below = new_node(new_node(below, NULL), below);
    return below;
}

/* Everything leads to everything else, by a few steps. */
static void *knot(void)
{
    struct node *nodes[LENGTH];
    for (size_t i = 0; i < LENGTH; i++)
        nodes[i] = new_node(NULL, NULL);
    for (size_t i = 0; i < LENGTH; i++) {
        nodes[i]->left = nodes[(i * 7 + 1) % LENGTH];
        nodes[i]->right = nodes[(i + 1) % LENGTH];
    }
    return nodes[0];
}

/* Blocks held by addresses inside of them, from within what is lost. */
static void *inside(void)
{
    struct node *last = new_node(NULL, NULL);
    for (size_t i = 1; i < LENGTH; i++)
        last = new_node((struct node *)&last->text[3], NULL);
    return last;
}

/* Pointers at odd multiples of four, and with a tag in the upper bits. */
static void *packed(void)
{
    char *block = memset(need(malloc(100)), 0, 100);
    void *first = single();
    uintptr_t second = (uintptr_t)single() | (uintptr_t)0xabcd << 48;
    memcpy(block + 4, &first, sizeof first);
    memcpy(block + 52, &second, sizeof second);
    return block;
}

/* Buffers that hold bytes which are no addresses. */
static void *noise(void)
{
    unsigned char *bytes = need(malloc(10000));
    uint32_t random = 12345;
    for (size_t i = 0; i < 10000; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(random >> 24);
    }
    return bytes;
}

const struct shape shapes[] = {
    {"single", single, 1, 0, 0},
    {"empty", empty, 1, 0, 0},
    {"zeroed", zeroed, 1, 0, 0},
    {"grown", grown, 1, 0, 0},
    {"aligned", aligned, 1, 0, 0},
    {"large", large, 1, 1, 0},
    {"huge", huge, 1, 1, 0},
    {"text", text, 1, 0, 0},
    {"printed", printed, 1, 0, 0},
    {"list", list, 1, LENGTH - 1, 0},
    {"long_list", long_list, 1, LONG - 1, 0},
    {"ring", ring, 1, LENGTH - 1, 0},
    {"self", self, 1, 0, 0},
    {"rings", rings, 1, 2 * LENGTH - 1, 0},
    {"tree", tree, 1, (1 << LEVELS) - 2, 0},
    {"table", table, 1, WIDE, 0},
    {"lattice", lattice, 1, LENGTH, 0},
    {"knot", knot, 1, LENGTH - 1, 0},
    {"inside", inside, 1, LENGTH - 1, LENGTH - 1},
    {"packed", packed, 1, 2, 0},
    {"noise", noise, 1, 0, 0},
};

const size_t shape_count = sizeof shapes / sizeof shapes[0];

const struct shape *shape_find(const char *name)
{
    for (size_t i = 0; i < shape_count; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}
