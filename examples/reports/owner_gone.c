/*
 * owner_gone: a window owns its buttons, and is freed as if it did not; a button is still shown somewhere.
 *
 * gca_drop() would have dropped the button with the window. free() leaves it alive, with an owner that is gone: nobody will ever end it.
 * It says:
 *
 *     gcalloc: audit: 1 finding
 *       0x7f31c0 (16 bytes, struct button) is alive, but its owner 0x7f3180 is gone
 */
#include <gcalloc.h>
#include <stdlib.h>

struct button {
    const char *label;
    int is_pressed;
};

struct window {
    struct button *close;
};

GCA_TYPE(struct button);
GCA_TYPE(struct window);

static struct button *focus; /* the button that keys go to */

static struct window *window_open(void)
{
    struct window *window = gca_new(struct window);
    if (window == NULL)
        return NULL;
    window->close = gca_new(struct button);
    if (window->close == NULL || gca_own(window->close, window) != 0) {
        gca_drop(window);
        return NULL;
    }
    window->close->label = "Close";
    focus = window->close;
    return window;
}

int main(void)
{
    struct window *window = window_open();
    if (window == NULL)
        return 1;
    void *volatile memory = window; /* gcc would see it */
    free(memory); /* the mistake: gca_drop(window) */
    gca_audit_report();
    gca_drop(focus);
    return 0;
}
