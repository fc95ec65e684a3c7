/*
 * examples/arena: a calculator whose trees live in an arena.
 *
 * Nothing is freed one by one: each expression's nodes go at the end of its scope, also when the text is wrong.
 *
 *     cc arena.c $(pkg-config --cflags --libs gcalloc) -o arena && ./arena
 */
#include <gcalloc.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    char operator; /* or 0: a number */
    double number;
    struct node *left, *right;
};

struct parser {
    gca_arena *nodes;
    const char *rest;
};

static struct node *node_new(struct parser *parser, char operator, struct node *left, struct node *right)
{
    struct node *node = left != NULL && right != NULL ? gca_arena_make(parser->nodes, struct node) : NULL;
    if (node != NULL) {
        node->operator = operator;
        node->left = left;
        node->right = right;
    }
    return node;
}

static struct node *parse_sum(struct parser *parser);

/* NULL for what is no number and no sum in brackets. */
static struct node *parse_atom(struct parser *parser)
{
    char *end;
    if (*parser->rest == '(') {
        parser->rest++;
        struct node *inside = parse_sum(parser);
        if (*parser->rest != ')')
            return NULL;
        parser->rest++;
        return inside;
    }
    struct node *node = gca_arena_make(parser->nodes, struct node);
    if (node == NULL || !isdigit((unsigned char)*parser->rest))
        return NULL;
    node->number = strtod(parser->rest, &end);
    parser->rest = end;
    return node;
}

static struct node *parse_product(struct parser *parser)
{
    struct node *left = parse_atom(parser);
    while (left != NULL && (*parser->rest == '*' || *parser->rest == '/')) {
        char operator = *parser->rest++;
        left = node_new(parser, operator, left, parse_atom(parser));
    }
    return left;
}

static struct node *parse_sum(struct parser *parser)
{
    struct node *left = parse_product(parser);
    while (left != NULL && (*parser->rest == '+' || *parser->rest == '-')) {
        char operator = *parser->rest++;
        left = node_new(parser, operator, left, parse_product(parser));
    }
    return left;
}

static double value(const struct node *node)
{
    switch (node->operator) {
    case '+':
        return value(node->left) + value(node->right);
    case '-':
        return value(node->left) - value(node->right);
    case '*':
        return value(node->left) * value(node->right);
    case '/':
        return value(node->left) / value(node->right);
    default:
        return node->number;
    }
}

/* The answer, as text in the arena. */
static const char *answer(gca_arena *results, const char *text)
{
    gca_with_scratch(nodes, results);
    if (nodes == NULL)
        return NULL;
    struct parser parser = {nodes, text};
    struct node *root = parse_sum(&parser);
    if (root == NULL || *parser.rest != '\0')
        return gca_arena_printf(results, "%s: what is \"%s\"?", text, parser.rest);
    return gca_arena_printf(results, "%s = %g", text, value(root));
}

int main(void)
{
    static const char *const questions[] = {"1+2*3", "(1+2)*3", "2*(3+4)*(5-6)/7", "1+", "2*x", "(1"};
    gca_with_arena(results);
    if (results == NULL)
        return EXIT_FAILURE;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const char *text = answer(results, questions[i]);
        if (text == NULL)
            return EXIT_FAILURE;
        puts(text);
    }
    gca_arena_stats stats;
    gca_arena_get_stats(results, &stats);
    printf("the answers took %zu bytes\n", stats.used_bytes);
    return EXIT_SUCCESS;
}
