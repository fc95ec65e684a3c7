/* borrow conflict: a transfer from an account to itself has it mutable twice, under two names. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
    long cents;
};

void transfer(struct account *from, struct account *to, long cents);

void transfer(struct account *from, struct account *to, long cents)
{
#ifdef BUG
    struct account *partner = from;
    (void)to;
#else
    struct account *partner = to;
#endif
    struct account *source = gca_borrow_mut(from);
    struct account *target = gca_borrow_mut(partner);
    source->cents -= cents;
    target->cents += cents;
    gca_end_mut(target);
    gca_end_mut(source);
}

int main(void)
{
    struct account *a = gca_new(struct account);
    struct account *b = gca_new(struct account);
    if (a != NULL && b != NULL)
        transfer(a, b, 5);
    gca_drop(a);
    gca_drop(b);
    return 0;
}
