/* leak: of two that are made, the first is forgotten when the second fails. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    char *key;
    char *value;
};

static int pair_fill(struct pair *pair, const char *key, const char *value)
{
    gca_let_or(char *, first, strdup(key)) return -1;
    gca_let_or(char *, second, value[0] != '\0' ? strdup(value) : NULL) {
#ifndef BUG
        free(gca_move(first));
#endif
        return -1;
    }
    pair->key = gca_move(first);
    pair->value = gca_move(second);
    return 0;
}

int main(void)
{
    struct pair pair = {NULL, NULL};
    if (pair_fill(&pair, "name", "") == 0)
        printf("%s=%s\n", pair.key, pair.value);
    free(pair.key);
    free(pair.value);
    return 0;
}
