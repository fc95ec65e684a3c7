/* use after drop: the object is passed to a function that looks at it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
    long cents;
};

void account_close(struct account *account) GCA_DROPS(account, 1);
struct account *account_open(void) GCA_OWNED(account_close);
long account_balance(const struct account *account) GCA_READS(account);
void account_report(struct account *account) GCA_TAKES(account);

void account_close(struct account *account)
{
    gca_drop(account);
}

struct account *account_open(void)
{
    return gca_new(struct account);
}

long account_balance(const struct account *account)
{
    return account == NULL ? 0 : account->cents;
}

void account_report(struct account *account)
{
#ifdef BUG
    account_close(account);
    printf("%ld\n", account_balance(account));
#else
    printf("%ld\n", account_balance(account));
    account_close(account);
#endif
}

int main(void)
{
    account_report(account_open());
    return 0;
}
