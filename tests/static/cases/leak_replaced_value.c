/* leak: the old value that gca_replace() hands back is not looked at. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct theme {
    int colour;
};

static struct theme *theme_new(int colour)
{
    struct theme *theme = gca_new(struct theme);
    if (theme != NULL)
        theme->colour = colour;
    return theme;
}

int main(void)
{
    struct theme *theme = theme_new(1);
    if (theme == NULL)
        return 1;
    struct theme *dark = theme_new(2);
    if (dark != NULL) {
#ifdef BUG
        gca_replace(theme, dark);
#else
        gca_drop(gca_replace(theme, dark));
#endif
    }
    printf("%d\n", theme->colour);
    gca_drop(theme);
    return 0;
}
