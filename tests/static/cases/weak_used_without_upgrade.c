/* use after drop: an address is kept where a weak reference belongs. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model {
    int value;
};

struct view {
    struct model *model;
};

static int view_show(const struct view *view)
{
    return view->model->value;
}

int main(void)
{
    struct model *model = gca_new(struct model);
    if (model == NULL)
        return 1;
    struct view view = {model};
    model->value = 2;
#ifdef BUG
    gca_drop(model);
    int shown = view_show(&view);
#else
    int shown = view_show(&view);
    gca_drop(model);
#endif
    return shown == 0;
}
