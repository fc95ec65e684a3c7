/* borrow conflict: a balance is changed while a report reads the account. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
    long cents;
};

void report(struct account *account);

void report(struct account *account)
{
    const struct account *seen = gca_borrow(account);
    printf("before: %ld\n", seen->cents);
#ifndef BUG
    gca_end(seen);
#endif
    struct account *changed = gca_borrow_mut(account);
    changed->cents += 100;
    gca_end_mut(changed);
#ifdef BUG
    printf("after: %ld\n", seen->cents);
    gca_end(seen);
#endif
}

int main(void)
{
    struct account *account = gca_new(struct account);
    if (account != NULL)
        report(account);
    gca_drop(account);
    return 0;
}
