/* use after drop: a child goes with the parent that owns it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct widget {
    int width;
};

int main(void)
{
    struct widget *window = gca_new(struct widget);
    struct widget *button = gca_new(struct widget);
    if (window == NULL || button == NULL || gca_own(button, window) != 0) {
        gca_drop(button);
        gca_drop(window);
        return 1;
    }
    button->width = 40;
#ifdef BUG
    gca_drop(window);
    printf("%d\n", button->width);
#else
    printf("%d\n", button->width);
    gca_drop(window);
#endif
    return 0;
}
