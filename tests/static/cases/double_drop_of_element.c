/* double drop: the same element twice; right is to end two, and what a variable, a member and a parameter have in turn. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    char *first;
    char *second;
};

static void end_both(char **texts)
{
    free(texts[0]);
#ifdef BUG
    free(texts[0]);
#else
    free(texts[1]);
#endif
}

static void refill(struct pair *pair, char *text)
{
    free(pair->first);
    pair->first = strdup("one");
    free(pair->first);
    pair->first = NULL;
    free(text);
    text = strdup("two");
    free(text);
}

static void in_turn(void)
{
    struct pair *pair = gca_new(struct pair);
    gca_drop(pair);
    pair = gca_new(struct pair);
    if (pair == NULL)
        return;
    {
        gca_with_mut(changed, pair);
        changed->first = strdup("three");
    }
    char *texts[2] = {pair->first, strdup("four")};
    pair->first = NULL;
    end_both(texts);
    refill(pair, strdup("five"));
    gca_drop(pair);
    pair = NULL;
    gca_drop(pair);
}

int main(void)
{
    in_turn();
    puts("done");
    return 0;
}
