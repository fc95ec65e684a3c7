/* borrow ended twice: in the branch, and again behind it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct text {
    int length;
};

int measure(struct text *text);

int measure(struct text *text)
{
    struct text *writing = gca_borrow_mut(text);
    writing->length++;
    int length = writing->length;
    if (length > 0) {
        puts("not empty");
#ifdef BUG
        gca_end_mut(writing);
#endif
    }
    gca_end_mut(writing);
    return length;
}

int main(void)
{
    struct text *text = gca_new(struct text);
    if (text == NULL)
        return 1;
    int length = measure(text);
    gca_drop(text);
    return length != 1;
}
